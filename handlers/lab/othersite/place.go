package othersite

import (
	"net"
	"net/netip"
	"net/url"
	"strings"
)

// Place is where browsers find the other site. One listener is two neighbours: a
// browser goes by names, so the same port is reached as another site by one name, and
// as the same site by the name that the attacked site has.
type Place struct {
	Apart    string // the origin that is another site; empty where there is none
	NextDoor string // the origin that is the same site on another port; empty where there is none
	Missing  Reason // why there is neither
}

// Reason is why there is no other site.
type Reason string

const (
	Off        Reason = "" // nobody has asked for one
	Taken      Reason = "taken"
	OutOfReach Reason = "out of reach" // it listens where visitors cannot come
)

// There reports whether there is any.
func (p Place) There() bool { return p.Apart+p.NextDoor != "" }

// PlaceOf finds the origins of a listener for the browsers that visit victim.
//
// On the machine itself the names are localhost and the number that is listened on.
// From elsewhere it is the victim's own name with another port, and only where the
// victim has no https: a site over https has browsers insist on it for every port.
func PlaceOf(victim *url.URL, listening netip.AddrPort) Place {
	_, port, _ := net.SplitHostPort(listening.String())
	at := func(host string) string { return "http://" + net.JoinHostPort(host, port) }
	ip := listening.Addr().Unmap()
	home := victim.Hostname()
	if !IsLoopback(home) {
		if victim.Scheme != "http" || ip.IsLoopback() {
			return Place{Missing: OutOfReach}
		}
		return Place{NextDoor: at(home)}
	}
	if ip.IsUnspecified() {
		ip = netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	var p Place
	for _, host := range []string{"localhost", ip.String()} {
		switch {
		case host != home && p.Apart == "":
			p.Apart = at(host)
		case host == home && victim.Scheme == "http":
			p.NextDoor = at(host)
		}
	}
	return p
}

// IsLoopback reports whether a host is the visitor's own machine.
func IsLoopback(host string) bool {
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return host == "localhost" || err == nil && ip.IsLoopback()
}

package handlers

import (
	"net/url"
	"slices"
	"strings"
)

// longestNext is how long the address of a page may be that somebody is to come back to,
// in bytes. It is encoded once more where it is kept in another address, and the whole
// has to be one that is answered.
const longestNext = 2000

// localPath reads where a visitor wants to go afterwards. Only a path on this
// site will do; anything else becomes "/" (ASVS 3.7.2). Browsers are generous
// with what they take for the start of a host: "//", "/\", and control
// characters in between.
func localPath(next string) string {
	if len(next) > longestNext || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.ContainsFunc(next, unsafeInPath) {
		return "/"
	}
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || strings.Contains(u.Path, "//") || strings.Contains(u.Path, "/.") || strings.ContainsFunc(u.Path, unsafeInPath) {
		return "/"
	}
	if next = u.String(); len(next) > longestNext {
		return "/"
	}
	return next
}

func unsafeInPath(r rune) bool { return r <= ' ' || r == '\\' || r == 0x7f }

// pageAt is next if there is a page, and not only a form that is sent there; else instead.
// The address of a form stands in the browser's bar when it was answered with a page, and
// anybody can write it into a link.
func (s *Server) pageAt(next, instead string) string {
	next = localPath(next)
	path, _, _ := strings.Cut(next, "?")
	path, _, _ = strings.Cut(path, "#")
	if slices.ContainsFunc(s.pagePaths, func(page string) bool { return fits(page, path) }) {
		return next
	}
	return instead
}

// fits reports whether a path is one of a route's, whose parameters are whole segments.
func fits(route, path string) bool {
	want, have := strings.Split(route, "/"), strings.Split(path, "/")
	return len(want) == len(have) && !slices.ContainsFunc(want, func(segment string) bool {
		given := have[0]
		have = have[1:]
		if strings.HasPrefix(segment, ":") {
			return given == ""
		}
		return segment != given
	})
}

// signInAddress is the sign-in page that leads back to next.
func signInAddress(next string) string {
	if next = localPath(next); next == "/" {
		return "/signin"
	}
	return "/signin?next=" + url.QueryEscape(next)
}

// withQuery is a local path with one parameter set.
func withQuery(path, key, value string) string {
	u, err := url.Parse(path)
	if err != nil {
		return path
	}
	q := u.Query()
	q.Set(key, value)
	u.RawQuery = q.Encode()
	return u.String()
}

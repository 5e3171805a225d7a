package views

import (
	"net/url"
	"time"

	"lectern/views/ui"
)

// signIn is the sign-in page that leads back to this one.
func (f Frame) signIn() string {
	if f.Here == "" || f.Here == "/" {
		return "/signin"
	}
	return "/signin?next=" + url.QueryEscape(f.Here)
}

// withXRay is this page with its X-ray strip open.
func (f Frame) withXRay() string {
	u, err := url.Parse(f.Here)
	if err != nil {
		return "?xray=open"
	}
	q := u.Query()
	q.Set("xray", "open")
	u.RawQuery = q.Encode()
	return u.String()
}

// lower is a light whose question is a heading of the given level.
func lower(l ui.LightProps, level int) ui.LightProps {
	l.Level = level
	return l
}

// waiting is a time to wait, in words.
func waiting(d time.Duration) string {
	if d < 90*time.Second {
		return ui.Count(max(1, int((d+time.Second-1)/time.Second)), "second", "seconds")
	}
	return ui.Count(int((d+time.Minute-1)/time.Minute), "minute", "minutes")
}

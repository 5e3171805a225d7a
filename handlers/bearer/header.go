package bearer

import (
	"errors"
	"net/http"
	"strings"
)

// ErrRequest: the Authorization header cannot be read, or is there twice, so
// that one reader could take one token and the next reader another (RFC 6750
// §3.1, invalid_request).
var ErrRequest = errors.New("bearer: malformed Authorization header")

// Presented reports whether the request has an Authorization header of this
// scheme, readable or not. Another scheme is somebody else's affair: a proxy in
// front of the site may ask for a password of its own.
func Presented(r *http.Request) bool {
	for _, value := range r.Header["Authorization"] {
		scheme, _, _ := strings.Cut(value, " ")
		if strings.EqualFold(scheme, "Bearer") {
			return true
		}
	}
	return false
}

// FromHeader returns the token of a request for which Presented is true. The
// error is ErrRequest.
func FromHeader(r *http.Request) (string, error) {
	values := r.Header["Authorization"]
	if len(values) != 1 {
		return "", ErrRequest
	}
	_, text, _ := strings.Cut(values[0], " ")
	text = strings.TrimLeft(text, " ")
	if letters := strings.TrimRight(text, "="); letters == "" || strings.Trim(letters, token68) != "" {
		return "", ErrRequest
	}
	return text, nil
}

// token68 are the characters of a b64token (RFC 6750 §2.1), which may have
// equals signs at its end.
const token68 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/"

package handlers

import "github.com/labstack/echo/v4"

// browserHash names the browser that a request comes from, for what was begun in it
// and is to be finished in it: the message with the code that was asked for here, say.
// It is a hash, so whoever reads it in the database cannot pass for that browser. It
// is nil where the browser has begun nothing.
func (s *Server) browserHash(echo.Context) []byte { return nil }

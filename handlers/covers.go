package handlers

import (
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"lectern/db/school"
	"lectern/views/cover"
)

// showCover draws the cover of a course. It is a function of the slug alone,
// so it is the same for ever and for everybody.
func (s *Server) showCover(c echo.Context) error {
	name, ok := strings.CutSuffix(c.Param("file"), ".svg")
	if !ok {
		return school.ErrNotFound
	}
	slug, err := school.ParseSlug(name)
	if err != nil {
		return err
	}
	c.Response().Header().Set(echo.HeaderCacheControl, "public, max-age=31536000, immutable")
	return c.Blob(http.StatusOK, "image/svg+xml; charset=utf-8", cover.SVG(slug))
}

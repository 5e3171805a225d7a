package handlers

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/labstack/echo/v4"

	"lectern/db"
	"lectern/db/school"
	"lectern/handlers/lab"
	"lectern/handlers/policy"
)

// labRoutes are the pages of the session lab. They are for everybody: what a
// visitor predicts is kept in their browser.
var labRoutes = []route{
	{http.MethodGet, "/lab", to(policy.LabUse), (*Server).showLab},
	{http.MethodGet, "/lab/permissions", to(policy.LabUse), (*Server).showPermissions},
	{http.MethodGet, "/lab/asvs", to(policy.LabUse), (*Server).showASVS},
	{http.MethodPost, "/lab/permissions/run", to(policy.LabUse), (*Server).runPermission},
	{http.MethodGet, "/lab/:experiment", to(policy.LabUse), (*Server).showExperiment},
	{http.MethodPost, "/lab/:experiment/predict", to(policy.LabUse), (*Server).predict},
	{http.MethodPost, "/lab/:experiment/run", to(policy.LabUse), (*Server).runExperiment},
	{http.MethodPost, "/lab/:experiment/explain", to(policy.LabUse), (*Server).explainExperiment},
	{http.MethodPost, "/lab/:experiment/reset", to(policy.LabUse), (*Server).resetExperiment},
}

// experimentAsked finds the experiment that the address names.
func (s *Server) experimentAsked(c echo.Context) (*lab.Experiment, error) {
	e, err := s.Lab.Experiment(c.Param("experiment"))
	if errors.Is(err, lab.ErrUnknown) {
		return nil, fmt.Errorf("%w: %w", school.ErrNotFound, err)
	}
	return e, err
}

// labAddress is the page of an experiment.
func labAddress(slug string) string { return "/lab/" + slug }

// newRunID draws the name of a run: 50 random bits, since a run is no secret but
// shall not be counted through either.
func newRunID() string {
	var raw [7]byte
	rand.Read(raw[:]) // never fails
	return strings.ToLower(base32.StdEncoding.EncodeToString(raw[:])[:10])
}

// isRunID reports whether a text could be the name of a run.
func isRunID(id string) bool {
	return len(id) == 10 && strings.Trim(id, "abcdefghijklmnopqrstuvwxyz234567") == ""
}

// keepRun writes a run down, with what was measured in it.
func (s *Server) keepRun(ctx context.Context, id string, run *lab.Run) error {
	result, err := packed(run)
	if err != nil {
		return err
	}
	var figures []db.LabFigures
	for _, column := range run.Columns {
		if len(column.Measured) > 0 && len(column.Wrongs) == 0 {
			figures = append(figures, db.LabFigures{Experiment: run.Experiment, Column: column.Name, At: run.At, Machine: run.Machine, Figures: column.Measured})
		}
	}
	return s.DB.AddLabRun(ctx, db.LabRun{ID: id, Experiment: run.Experiment, At: run.At, Result: result}, figures)
}

// runOf reads a run that was kept. It returns school.ErrNotFound for one of another
// experiment, too.
func (s *Server) runOf(ctx context.Context, id, experiment string) (*lab.Run, error) {
	if !isRunID(id) {
		return nil, school.ErrNotFound
	}
	kept, err := s.DB.LabRun(ctx, id)
	if err != nil {
		return nil, err
	}
	if kept.Experiment != experiment {
		return nil, school.ErrNotFound
	}
	return unpacked(kept.Result)
}

// packed is a run as it is kept: JSON, most of which repeats itself.
func packed(run any) ([]byte, error) {
	var buffer bytes.Buffer
	writer := gzip.NewWriter(&buffer)
	if err := json.NewEncoder(writer).Encode(run); err != nil {
		return nil, err
	}
	if err := writer.Close(); err != nil {
		return nil, err
	}
	return buffer.Bytes(), nil
}

// maxRun is the longest JSON of a run that is read back, in bytes.
const maxRun = 4 << 20

func unpacked(result []byte) (*lab.Run, error) {
	var run lab.Run
	return &run, unpack(result, &run)
}

func unpack(result []byte, run any) error {
	reader, err := gzip.NewReader(bytes.NewReader(result))
	if err != nil {
		return err
	}
	return json.NewDecoder(io.LimitReader(reader, maxRun)).Decode(run)
}

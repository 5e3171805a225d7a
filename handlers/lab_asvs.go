package handlers

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/labstack/echo/v4"

	"lectern/handlers/asvs"
	"lectern/views"
	"lectern/views/labview"
	"lectern/views/ui"
)

// showASVS is the site held against the ASVS, or as much of it as the address asks
// for.
func (s *Server) showASVS(c echo.Context) error {
	chapters, err := asvs.Chapters()
	if err != nil {
		return err
	}
	results, err := asvs.Latest()
	if err != nil {
		return err
	}
	p := asvsProps(chapters, results, c.QueryParam("chapter"), c.QueryParam("level"), c.QueryParam("verdict"))
	return s.page(c, http.StatusOK, views.LabASVSPage(s.frame(c, "Held against the ASVS", "lab"), p))
}

// asvsProps passes over a filter that there is not.
func asvsProps(chapters []asvs.Chapter, results asvs.Results, chapter, level, verdict string) labview.ASVSProps {
	p := labview.ASVSProps{
		Places:   results.Places(),
		Chapters: []ui.Option{{Label: "All chapters"}},
		Levels:   []ui.Option{{Value: "1", Label: "Level 1"}, {Value: "2", Label: "Levels 1 and 2"}, {Label: "All levels"}},
		Verdicts: []ui.Option{{Label: "Any verdict"}},
	}
	p.First, p.Last = results.Span()
	for _, v := range asvs.Verdicts {
		p.Order = append(p.Order, labview.ASVSVerdict(v))
		p.Verdicts = append(p.Verdicts, ui.Option{Value: string(v), Label: labview.ASVSVerdict(v).Word()})
	}
	for _, chapter := range chapters {
		p.Chapters = append(p.Chapters, ui.Option{Value: chapter.Key, Label: chapter.Key + " " + chapter.Title})
	}
	p.Chapter, p.Level, p.Verdict = offered(p.Chapters, chapter), offered(p.Levels, level), offered(p.Verdicts, verdict)
	highest := 3
	if p.Level != "" {
		highest, _ = strconv.Atoi(p.Level) // it is one of those on offer
	}
	for _, chapter := range chapters {
		counts := make([]int, len(asvs.Verdicts))
		shown := labview.ASVSChapter{Key: chapter.Key, Title: chapter.Title}
		for _, row := range chapter.Rows {
			is := results.Verdict(row)
			counts[slices.Index(asvs.Verdicts, is)]++
			if (p.Chapter == "" || p.Chapter == chapter.Key) && row.Level <= highest && (p.Verdict == "" || p.Verdict == string(is)) {
				shown.Rows = append(shown.Rows, asvsRow(row, is, results.Rows[row.Number]))
			}
		}
		for i, v := range asvs.Verdicts {
			switch v {
			case asvs.Proved:
				p.Proved += counts[i]
			case asvs.Partly:
				p.Partly += counts[i]
			case asvs.Failed:
				p.Failed += counts[i]
			case asvs.Unproved:
				p.Unproved += counts[i]
			}
		}
		address := "/lab/asvs?" + url.Values{"chapter": {chapter.Key}}.Encode() + "#" + chapter.Key
		p.Sums = append(p.Sums, labview.ASVSSum{Key: chapter.Key, Title: chapter.Title, Href: address, Counts: counts})
		if len(shown.Rows) > 0 {
			p.Shown = append(p.Shown, shown)
		}
	}
	p.Testable = p.Proved + p.Partly + p.Failed + p.Unproved
	return p
}

// offered is a value, if it is one of the options, and empty otherwise.
func offered(options []ui.Option, value string) string {
	if slices.ContainsFunc(options, func(o ui.Option) bool { return o.Value == value }) {
		return value
	}
	return ""
}

func asvsRow(row asvs.Row, verdict asvs.Verdict, tests []asvs.Test) labview.ASVSRow {
	shown := labview.ASVSRow{Number: row.Number, Level: row.Level, Asks: row.Asks, Why: row.Why, Verdict: labview.ASVSVerdict(verdict)}
	for _, test := range tests {
		shown.Tests = append(shown.Tests, labview.ASVSTest{
			Package: strings.TrimPrefix(test.Package, "lectern/"), Name: test.Name, Outcome: string(test.Outcome), Kinds: test.Kinds,
		})
	}
	return shown
}

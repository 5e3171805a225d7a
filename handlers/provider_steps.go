package handlers

import (
	"net/http"
	"slices"
	"strings"

	"github.com/labstack/echo/v4"

	"lectern/handlers/auth"
	"lectern/views"
)

// showProviderSteps shows what a sign-in was made of, to the browser that made it.
func (s *Server) showProviderSteps(c echo.Context) error {
	p, err := s.providerAsked(c)
	if err != nil {
		return err
	}
	flow, err := s.Flows.Look(c.Request().Context(), s.browserOf(c), auth.FlowID(c.QueryParam("flow")), auth.AwaitNothing)
	if err != nil {
		return err
	}
	props := views.ProviderStepsProps{Provider: p.Name(), Next: localPath(flow.Next), SignedIn: visitorOf(c).SignedIn(), Steps: followed(flow.Steps)}
	props.Failed = slices.ContainsFunc(props.Steps, func(step views.ProviderStep) bool { return step.Failed })
	return s.page(c, http.StatusOK, views.ProviderStepsPage(s.frame(c, "What just happened", ""), props))
}

// threads are the values that can be followed through the steps, by the names that they
// have on the way.
var threads = map[string]string{
	"state": "state", "nonce": "nonce", "code": "code", "code_challenge": "pkce", "code_verifier": "pkce",
	"issuer": "issuer", "iss": "issuer", "client_id": "audience", "aud": "audience", "sub": "subject", "subject": "subject",
}

// follower notes where each value was seen first.
type follower map[string]struct {
	step  int
	value string
}

// followed are the steps as a page shows them, in which each value that comes back is
// marked as what it is: the same as before, or another.
func followed(steps []auth.Step) []views.ProviderStep {
	seen, all := follower{}, make([]views.ProviderStep, 0, len(steps))
	for i, step := range steps {
		out := views.ProviderStep{
			Name: step.Name, By: step.By, To: step.To, Says: step.Says, Line: step.Line, Status: step.Status, Failed: step.Failed != "",
			Sent: seen.fields(i+1, step.Sent), Received: seen.fields(i+1, step.Received),
		}
		if t := step.Token; t != nil {
			out.Token = &views.ProviderToken{Header: seen.fields(i+1, t.Header), Claims: seen.fields(i+1, t.Claims), Signature: t.Signature}
		}
		all = append(all, out)
	}
	return all
}

func (seen follower) fields(step int, fields []auth.Field) []views.ProviderField {
	var all []views.ProviderField
	for _, f := range fields {
		out := views.ProviderField{Name: f.Name, Value: f.Value, Says: f.Says, Thread: threads[f.Name]}
		first, known := seen[out.Thread]
		switch {
		case out.Thread == "":
		case !known:
			first.step, first.value = step, f.Value
			seen[out.Thread] = first
			out.Mark = views.MarkNew
		case f.Name == "code_verifier":
			out.Mark, out.From = views.MarkMade, first.step
		case f.Value == first.value, strings.Contains(f.Value, `"`+first.value+`"`): // aud may be a list
			out.Mark, out.From = views.MarkSame, first.step
		default:
			out.Mark, out.From = views.MarkOther, first.step
		}
		all = append(all, out)
	}
	return all
}

package cookiejwt

import (
	"lectern/handlers/session"
	"lectern/handlers/token"
)

// readings are the steps of reading a token, as traces tell them.
var readings = func() (all [token.Steps]session.Work) {
	for step := range token.Step(token.Steps) {
		all[step] = session.Work{Name: step.Name(), Kind: session.CPU, Where: token.Reading}
	}
	return all
}()

// watcher is a trace that is told of the reading of a token.
type watcher struct{ trace *session.Trace }

// Watch lets a trace, which may be nil, note how a token is read. Package token
// knows nothing of sessions and so of no trace.
func Watch(trace *session.Trace) token.Watcher { return watcher{trace} }

// Done notes a step.
func (w watcher) Done(step token.Step) { w.trace.Done(&readings[step]) }

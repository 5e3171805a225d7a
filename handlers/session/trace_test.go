package session_test

import (
	"testing"
	"time"

	"lectern/handlers/session"
)

var (
	knock = session.Work{Name: "Knock", Kind: session.CPU, Where: "door.go"}
	wait  = session.Work{Name: "Wait", Kind: session.Store, Where: "hall.go"}
)

func TestTrace_tellsWhatWasDoneInOrder(t *testing.T) {
	begin := time.Now()
	var trace session.Trace
	trace.Begin()
	trace.Done(&knock)
	trace.Done(&wait)
	steps, whole := trace.Steps(), time.Since(begin)
	if len(steps) != 2 || steps[0].Work != knock || steps[1].Work != wait {
		t.Fatalf("the trace tells %+v", steps)
	}
	if first, second := steps[0].Took, steps[1].Took; first < 0 || second < 0 || first+second > whole {
		t.Errorf("steps of %v and %v do not fit into the %v that they took", first, second, whole)
	}
}

func TestTrace_hasRoomForTwelve(t *testing.T) {
	var trace session.Trace
	trace.Begin()
	for range 20 {
		trace.Done(&knock)
	}
	if n := len(trace.Steps()); n != 12 {
		t.Errorf("the trace tells %d steps", n)
	}
}

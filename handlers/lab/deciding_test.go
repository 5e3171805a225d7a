package lab

import "testing"

// TestScripts_sayWhatDecides: in every column each deciding step is expected to come
// to a status, or a verdict could be the other without anything being broken.
func TestScripts_sayWhatDecides(t *testing.T) {
	experiments, err := Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range experiments {
		for _, c := range e.Columns {
			decided := 0
			for i := range e.Script {
				step := &e.Script[i]
				if c.None != "" || !step.Decides || !step.in(c.Name) {
					continue
				}
				if decided++; !step.saysStatus(c.Name) {
					t.Errorf("%s, %s: nothing is said of the status of %q", e.Slug, c.Name, step.Line)
				}
			}
			if c.None == "" && decided == 0 && e.Predict.By == nil {
				t.Errorf("%s: nothing decides in %s", e.Slug, c.Name)
			}
		}
	}
}

// saysStatus reports whether a step is expected to come to a status in a column.
func (s *Step) saysStatus(column string) bool {
	for _, x := range s.Expects {
		if len(x.Only) > 0 && !(&Step{Only: x.Only}).in(column) {
			continue
		}
		for _, f := range x.Facts {
			if f.name == "status" && f.op == "=" {
				return true
			}
		}
	}
	return false
}

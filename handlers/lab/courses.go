package lab

import (
	"fmt"
	"strconv"

	"lectern/handlers/lab/laden"
	"lectern/handlers/session"
	"lectern/handlers/session/kinds"
)

// laden makes the world's kind of session, with its mistake where it has one, carry
// what the school puts into each.
func (w *world) laden(mistaken func(kinds.Kinds, kinds.Config) (session.Backend, error)) func(kinds.Kinds, kinds.Config) (session.Backend, error) {
	return func(all kinds.Kinds, c kinds.Config) (session.Backend, error) {
		if mistaken != nil {
			b, err := mistaken(all, c)
			return laden.New(b, w.numbers), err
		}
		for _, b := range all.Offered {
			if b.Name() == w.setup.Kind {
				return laden.New(b, w.numbers), nil
			}
		}
		return nil, fmt.Errorf("lab: there are no sessions of the kind %s", w.setup.Kind)
	}
}

// numbers are those of the courses that a session begins with.
func (w *world) numbers() []string {
	numbers := make([]string, w.courses)
	for i := range numbers {
		numbers[i] = fmt.Sprintf("%04d", i+1)
	}
	return numbers
}

// putCourses says how many courses each session begins with from now on.
func putCourses(m []string) (action, error) {
	n, err := strconv.Atoi(m[1])
	return func(w *world, _ *actor) error {
		w.courses = n
		return nil
	}, err
}

package handlers

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"regexp"
	"strconv"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/piglig/go-qr"

	"lectern/db/school"
	"lectern/handlers/auth"
	"lectern/handlers/session"
)

// room is a hall over a class that changes when it is told to.
type room struct {
	*hall
	reads atomic.Int64
	state atomic.Int64
	fails atomic.Bool
}

func newRoom() *room {
	r := &room{}
	r.hall = newHall(func(context.Context, school.ClassCode) (leaders, learners []byte, err error) {
		r.reads.Add(1)
		if r.fails.Load() {
			return nil, nil, errors.New("away")
		}
		n := r.state.Load()
		return eventOf("class", n), eventOf("class", n/10), nil // learners hear of every tenth change
	}, hallTick)
	return r
}

func (r *room) comes(t *testing.T, leads bool) *screen {
	t.Helper()
	s, err := r.enter("K7M3P", leads)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestHall_readsOnceForAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRoom()
		time.Sleep(time.Minute)
		if n := r.reads.Load(); n != 0 {
			t.Errorf("nobody looks, and it was read %d times", n)
		}
		var screens []*screen
		for i := range 200 {
			screens = append(screens, r.comes(t, i == 0))
		}
		synctest.Wait()
		for range 20 {
			r.state.Add(1)
			time.Sleep(hallTick)
			synctest.Wait()
			for range len(screens[0].news) {
				<-screens[0].news // the one in front keeps up
			}
		}
		if n := r.reads.Load(); n < 20 || n > 22 {
			t.Errorf("in ten seconds it was read %d times for 200 screens, want twice a second", n)
		}
		for i, s := range screens[1:] {
			if n := len(s.news); n != 3 { // at the beginning, and twice since
				t.Fatalf("learner %d was told %d things, want 3", i, n)
			}
		}
		for _, s := range screens {
			r.leave(s)
		}
		synctest.Wait()
		before := r.reads.Load()
		time.Sleep(time.Minute)
		if n := r.reads.Load(); n != before || len(r.classes) != 0 || r.hall.screens != 0 {
			t.Errorf("everybody has gone, and it was read %d times more, for %d classes and %d screens", n-before, len(r.classes), r.hall.screens)
		}
		r.close()
	})
}

func TestHall_dropsWhoIsSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRoom()
		slow, quick := r.comes(t, false), r.comes(t, false)
		told := 0
		for range 20 {
			r.state.Add(10)
			time.Sleep(hallTick)
			synctest.Wait()
			for range len(quick.news) {
				<-quick.news
				told++
			}
		}
		if told < 20 {
			t.Errorf("who keeps up was told %d things of 20: somebody slow was awaited", told)
		}
		for range cap(slow.news) {
			<-slow.news
		}
		if _, on := <-slow.news; on {
			t.Error("who does not keep up is still told things")
		}
		r.leave(slow) // as its request does when it hears of it
		r.leave(quick)
		r.close()
	})
}

func TestHall_goesOnWhenTheStoreIsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRoom()
		r.fails.Store(true)
		s := r.comes(t, false)
		time.Sleep(10 * time.Second)
		r.fails.Store(false)
		time.Sleep(time.Second)
		if len(s.news) != 1 {
			t.Errorf("told %d things since the store is back, want 1", len(s.news))
		}
		late := r.comes(t, false)
		if len(late.news) != 1 {
			t.Error("who comes later is not told at once how things stand")
		}
		r.leave(s)
		r.leave(late)
		r.close()
	})
}

func TestHall_hasItsLimits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRoom()
		for range screensOfClass {
			r.comes(t, false)
		}
		var throttled *auth.Throttled
		if _, err := r.enter("K7M3P", false); !errors.As(err, &throttled) {
			t.Errorf("one screen too many: %v", err)
		}
		if _, err := r.enter("W9XFT", false); err != nil {
			t.Errorf("another class: %v", err)
		}
		r.close()
		if _, err := r.enter("W9XFT", false); !errors.Is(err, session.ErrUnavailable) {
			t.Errorf("after the end: %v", err)
		}
	})
}

var drawn = regexp.MustCompile(`M(\d+) (\d+)h(\d+)v1h-\d+z`)

// TestQRCode_isReadByACamera paints the outline and has it read.
func TestQRCode_isReadByACamera(t *testing.T) {
	for _, address := range []string{"http://localhost:8080/c/K7M3P", "https://courses.some-university.example/lectern/c/W9XFT"} {
		size, path, err := qrCode(address)
		if err != nil {
			t.Fatal(err)
		}
		const scale, quiet = 8, 4
		picture := image.NewGray(image.Rect(0, 0, (size+2*quiet)*scale, (size+2*quiet)*scale))
		for i := range picture.Pix {
			picture.Pix[i] = 255
		}
		for _, m := range drawn.FindAllStringSubmatch(path, -1) {
			var at [3]int
			for i := range at {
				at[i], _ = strconv.Atoi(m[i+1])
			}
			for x := (at[0] + quiet) * scale; x < (at[0]+at[2]+quiet)*scale; x++ {
				for y := (at[1] + quiet) * scale; y < (at[1]+1+quiet)*scale; y++ {
					picture.SetGray(x, y, color.Gray{})
				}
			}
		}
		if got, err := go_qr.Decode(picture); err != nil || got != address {
			t.Errorf("read %q, %v; want %q", got, err, address)
		}
	}
}

func TestEventOf_isOneEvent(t *testing.T) {
	if got, want := string(eventOf("step", map[string]string{"line": "a\n\nevent: b"})), "event: step\ndata: {\"line\":\"a\\n\\nevent: b\"}\n\n"; got != want {
		t.Errorf("got %s, want %s", fmt.Sprintf("%q", got), fmt.Sprintf("%q", want))
	}
}

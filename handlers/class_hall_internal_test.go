package handlers

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"net/netip"
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
	s, err := r.enter("K7M3P", looker{leads: leads})
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
		if n := r.reads.Load(); n != before || len(r.classes) != 0 || len(r.networks) != 0 || r.hall.screens != (crowd{}) {
			t.Errorf("everybody has gone, and it was read %d times more, for %d classes and %+v screens", n-before, len(r.classes), r.hall.screens)
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

// fits has so many of a kind look at a class, and reports how many found room.
func (r *room) fits(t *testing.T, code school.ClassCode, n int, who func(i int) looker) int {
	t.Helper()
	for i := range n {
		_, err := r.enter(code, who(i))
		var throttled *auth.Throttled
		if err != nil && !errors.As(err, &throttled) {
			t.Fatal(err)
		}
		if err != nil {
			return i
		}
	}
	return n
}

// network is one of many places.
func network(i int) netip.Prefix {
	return netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 32)
}

func number(i int) school.ID { return school.ID(strconv.Itoa(i)) }

func TestHall_hasItsLimits(t *testing.T) {
	nobody := func(int) looker { return looker{newcomer: true, network: network(0)} }
	leads := func(int) looker { return looker{leads: true} }
	const many = 10_000
	for _, row := range []struct {
		says string
		who  func(i int) looker
		want int
	}{
		{"one who has no number comes again and again", nobody, newcomersOfNetwork},
		{"one makes up a number each time", func(i int) looker { return looker{number: number(i), newcomer: true, network: network(0)} }, newcomersOfNetwork},
		{"so do many", func(i int) looker { return looker{number: number(i), newcomer: true, network: network(i)} }, newcomersOfClass},
		{"one learner has many telephones", func(i int) looker { return looker{number: "ada", network: network(i)} }, screensOfLearner},
		{"and so before they predict", func(i int) looker { return looker{number: "ada", newcomer: true, network: network(i)} }, screensOfLearner},
		{"one place has many learners", func(i int) looker { return looker{number: number(i), network: network(0)} }, screensOfNetwork},
		{"everybody has learners", func(i int) looker { return looker{number: number(i), network: network(i)} }, learnersInAll},
		{"a class has many in front", leads, leadersOfClass},
	} {
		synctest.Test(t, func(t *testing.T) {
			r := newRoom()
			if got := r.fits(t, "K7M3P", many, row.who); got != row.want {
				t.Errorf("%s: %d found room, want %d", row.says, got, row.want)
			}
			// Somebody who leads, and a learner who has predicted, find room all the same.
			if row.want != leadersOfClass && r.fits(t, "K7M3P", 1, leads) != 1 {
				t.Errorf("%s: and there is no room in front", row.says)
			}
			if row.want != learnersInAll && r.fits(t, "K7M3P", 1, func(int) looker { return looker{number: "bea", network: network(many)} }) != 1 {
				t.Errorf("%s: and there is no room for who has predicted", row.says)
			}
			if row.want != leadersOfClass && r.fits(t, "W9XFT", 1, leads) != 1 {
				t.Errorf("%s: and there is no room in front of another class", row.says)
			}
			r.close()
			if _, err := r.enter("W9XFT", looker{}); !errors.Is(err, session.ErrUnavailable) {
				t.Errorf("after the end: %v", err)
			}
		})
	}
	synctest.Test(t, func(t *testing.T) {
		r := newRoom()
		for i, code := range []school.ClassCode{"K7M3P", "W9XFT", "34679", "CDFGH", "JKLMN", "PQRST", "VWXYZ"} {
			want := newcomersOfClass
			if i >= newcomersInAll/newcomersOfClass {
				want = 0
			}
			if got := r.fits(t, code, many, func(j int) looker { return looker{newcomer: true, network: network(i*many + j)} }); got != want {
				t.Errorf("into class %d fit %d newcomers, want %d", i, got, want)
			}
		}
		if r.fits(t, "VWXYZ", 1, leads) != 1 || r.fits(t, "VWXYZ", 1, func(int) looker { return looker{number: "bea"} }) != 1 {
			t.Error("newcomers take the room of others")
		}
		for i := range leadersInAll {
			if _, err := r.enter(school.ClassCode(strconv.Itoa(i/leadersOfClass)), looker{leads: true}); err != nil {
				if i != leadersInAll-1 {
					t.Errorf("leader %d finds no room", i)
				}
				break
			} else if i == leadersInAll-1 {
				t.Error("there is no end of leaders")
			}
		}
		r.close()
	})
}

// TestHall_twoRoomsBehindOneAddress: whole classes may, also such as have not
// predicted yet, and who goes makes room.
func TestHall_twoRoomsBehindOneAddress(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRoom()
		for _, code := range []school.ClassCode{"K7M3P", "W9XFT"} {
			if got := r.fits(t, code, 200, func(i int) looker { return looker{number: number(i), newcomer: true, network: network(0)} }); got != 200 {
				t.Errorf("of 200 telephones %d find room", got)
			}
		}
		first, err := r.enter("CDFGH", looker{number: "ada", network: network(0)})
		if err != nil {
			t.Fatal(err)
		}
		again := func(int) looker { return looker{number: "ada", network: network(0)} }
		if got := r.fits(t, "CDFGH", 9, again); got != screensOfLearner-1 {
			t.Errorf("beside one screen a learner has %d more", got)
		}
		r.leave(first)
		r.leave(first)
		if got := r.fits(t, "CDFGH", 9, again); got != 1 {
			t.Errorf("one has gone, and %d find room", got)
		}
		if got := r.fits(t, "JKLMN", 9, again); got != screensOfLearner {
			t.Errorf("in another class a learner has %d screens", got)
		}
		r.close()
	})
}

func TestPace_isEachLeadersOwn(t *testing.T) {
	var p pace
	now := time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)
	for i := range classRunsAtOnce {
		if err := p.take("grace", now); err != nil {
			t.Fatalf("run %d: %v", i, err)
		}
	}
	var throttled *auth.Throttled
	if err := p.take("grace", now); !errors.As(err, &throttled) || throttled.RetryAfter != classRunEach {
		t.Errorf("one too many: %v", err)
	}
	if err := p.take("rob", now); err != nil {
		t.Errorf("somebody else: %v", err)
	}
	if p.giveBack("grace"); p.take("grace", now) != nil {
		t.Error("what was given back is not there")
	}
	if now = now.Add(classRunEach); p.take("grace", now) != nil || p.take("grace", now) == nil {
		t.Error("after a while there is not one more, or more than one")
	}
	now = now.Add(classRunsPer)
	for i := range maxLeaders {
		now = now.Add(classRunsPer)
		if err := p.take(number(i), now); err != nil || len(p.full) > maxLeaders {
			t.Fatalf("%v; %d are kept", err, len(p.full))
		}
	}
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

package auth_test

import (
	"errors"
	"strings"
	"testing"

	"lectern/db/school"
	"lectern/handlers/auth"
)

func TestCheckNew_refuses(t *testing.T) {
	t.Attr("asvs", "6.2.1 6.2.4 6.2.11 6.2.12")
	for _, tt := range []struct{ name, password, reason string }{
		{"nothing", "", "at least 15"},
		{"seven characters", "lantern", "at least 15"},
		{"14 characters", "four lamps now", "this has 14"},
		{"14 characters of several bytes", "фонари у моста", "this has 14"},
		{"15 code points that compose to 14", "e\u0301ine lampe da!", "this has 14"},
		{"1,025 characters", strings.Repeat("lamp ", 205), "at most 1024"},
		{"a megabyte", strings.Repeat("lamp ", 200_000), "at most 1024"},
		{"bytes that are no text", "seven lamps \xff\xfe over the quay", "could not read"},
		{"a character that Unicode has not assigned", "seven lamps \U000E0FFF over the quay", "could not read"},

		{"the demo password", "open sesame please", "demo accounts"},
		{"the demo password in capitals", "Open Sesame, Please!", "demo accounts"},

		{"one letter", strings.Repeat("a", 15), "again and again"},
		{"a word twice", "lanternlantern lantern", "again and again"},
		{"a word three times, cut off", "lamp lamp lamp lam", "again and again"},
		{"14 characters twice", "four lamps now" + "four lamps now", "again and again"},
		{"digits counted up", "123456789012345", "walks along"},
		{"digits counted down", "9876543210987654", "walks along"},
		{"the alphabet", "abcdefghijklmnopqrstuvwxyz", "walks along"},
		{"the alphabet backwards", "zyxwvutsrqponmlk", "walks along"},
		{"a row of keys", "qwertyuiop asdfghjkl", "walks along"},
		{"a row of keys on a French keyboard", "azertyuiopqsdfghjklm", "walks along"},
		{"keys downwards", "1qaz2wsx3edc4rfv", "walks along"},
		{"keys downwards with shift", "1qaz!QAZ2wsx@WSX", "walks along"},
		{"runs of one character", "aaaaabbbbbccccc", "walks along"},
		{"runs with hyphens", "1-2-3-4-5-6-7-8-9", "walks along"},

		{"the site's name, padded", "lectern12345678", "your name"},
		{"the site's name in other signs", "L3ct3rn!2024!2025", "your name"},
		{"the word password, padded", "Password!1234567", "your name"},
		{"two words of the site", "lecternpassword1", "your name"},
		{"roles", "admin student instructor", "your name"},
		{"the person's name", "Ada Byron 10.12.1815", "your name"},
		{"the person's name reversed in order", "byron, ada (1815) byron", "your name"},
		{"the address", "ada.byron@lovelace.example", "your name"},
		{"the address and a number", "ada.byron/1815/12/10", "your name"},

		{"a common word, padded", "dragon2468013579!", "many people"},
		{"common words joined", "sunshineprincessfootball", "many people"},
		{"common words in other signs", "1l0v3y0u m0nk3y 2024", "many people"},
		{"a phrase", "correct horse battery staple", "many people"},
		{"a phrase written together with a number", "CorrectHorseBatteryStaple1!", "many people"},
		{"a line from a play", "To be, or not to be: that is the question", "many people"},
		{"a pangram", "thequickbrownfoxjumpsoverthelazydog", "many people"},
		{"a film", "MayTheForceBeWithYou77", "many people"},
		{"what it says it is", "this is my password", "many people"},
		{"pi", "3.14159265358979", "many people"},
		{"a number in hexadecimal", "deadbeefdeadbeef1", "many people"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := auth.CheckNew(tt.password, "Ada Byron", "ada.byron@lovelace.example")
			var invalid *school.Invalid
			if !errors.As(err, &invalid) {
				t.Fatalf("got %v, want a refusal", err)
			}
			if invalid.Field != "password" || !strings.Contains(invalid.Reason, tt.reason) {
				t.Errorf("got %s: %q, want a reason that says %q", invalid.Field, invalid.Reason, tt.reason)
			}
		})
	}
}

func TestCheckNew_accepts(t *testing.T) {
	t.Attr("asvs", "6.2.5 6.2.9")
	for _, tt := range []struct{ name, password string }{
		{"15 characters", "four lamps now!"},
		{"15 characters of several bytes", "фонари у моста!"},
		{"15 characters outside the basic plane", "🦊🐢🌵🏮🪁🧶🫖🛶🧭🪶🪴🐌🦉🪵🧊"},
		{"signs alone", "(^_^)/~{o.o}~\\%"},
		{"lower case alone", "sevenlampsoverthequay"},
		{"digits alone", "580372914826305"},
		{"digits that spell a word on a calculator", "226889735728893"},
		{"spaces at both ends", "  seven lamps over the quay  "},
		{"a word of the site among others", "my lectern is made of walnut"},
		{"the name among others", "ada keeps seven lamps lit"},
		{"a common word among others", "dragon mends a copper kettle"},
		{"a run among others", "1234 copper kettles mended"},
		{"what a manager makes", "Xq7#vR2m!tLp9zKw"},
		{"128 characters", strings.Repeat("seven lamps over a quay in rain ", 4)},
		{"1,024 characters", strings.Repeat("é", 1000) + "seven lamps over the qua"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := auth.CheckNew(tt.password, "Ada Byron", "ada.byron@lovelace.example"); err != nil {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestCheckNew_anEmptyContextIsNoWord(t *testing.T) {
	if err := auth.CheckNew(goodPassword, "", "@", "x", "日"); err != nil {
		t.Error(err)
	}
}

func BenchmarkCheckNew(b *testing.B) {
	for b.Loop() {
		if err := auth.CheckNew(goodPassword, "Ada Byron", "ada.byron@lovelace.example"); err != nil {
			b.Fatal(err)
		}
	}
}

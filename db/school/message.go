package school

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"
)

// Channel is a way on which a message goes to somebody.
type Channel string

const (
	ByMail Channel = "mail" // to an [Email]
	ByText Channel = "text" // to a [Phone]
)

// Phone is a telephone number that has been parsed: a plus sign, the country's
// number and the rest, 8 to 15 digits in all (E.164). Whether it reaches anyone
// only a message can tell.
type Phone string

// ParsePhone parses the number to which text messages go. What people put
// between digits is left out.
func ParsePhone(s string) (Phone, error) {
	bad := &Invalid{"phone", "A telephone number begins with a plus sign and the country’s number, such as +44 7700 900123."}
	s = strings.TrimSpace(s)
	if s == "" {
		return "", &Invalid{"phone", "A telephone number is needed."}
	}
	digits, ok := strings.CutPrefix(s, "+")
	if !ok {
		return "", bad
	}
	digits = strings.NewReplacer(" ", "", "\u00a0", "", "-", "", ".", "", "(", "", ")", "", "/", "").Replace(digits)
	if len(digits) < 8 || len(digits) > 15 || strings.Trim(digits, "0123456789") != "" || digits[0] == '0' {
		return "", bad
	}
	return Phone("+" + digits), nil
}

// MessageState is how far a message has come.
type MessageState string

const (
	MessageWaiting MessageState = "waiting"  // for its first try, or the next
	MessageSent    MessageState = "sent"     // whoever carries it has taken it
	MessageGivenUp MessageState = "given up" // nobody took it, and nobody tries again
	// MessageNone is the row of a message that there was no reason to send. It says
	// nothing, is shown to nobody, and takes as long to write as any other.
	MessageNone MessageState = "none"
)

// Limits of a message, in characters.
const (
	MaxSubject = 120
	MaxMessage = 10_000
)

// Message is a mail or a text message to somebody.
type Message struct {
	ID      ID
	Channel Channel
	To      string // an Email or a Phone, by the channel
	// Subject is one line. It stays when the body is gone, so it holds no secret. A
	// text message goes without it.
	Subject string
	Body    string // plain text
	User    ID     // whose account it is about; empty for nobody's
	Browser []byte // a hash that names the browser which caused it; nil for none
	At      time.Time
	// Until is when it is of no use any more, as when the code in it has expired;
	// zero for never.
	Until time.Time
	State MessageState
	Tries int // that were begun
}

// Check refuses what must not be sent: an address that is none, and anything that
// would end a line of the head of a mail and begin another (ASVS 1.3.11).
func (m Message) Check() error {
	switch m.Channel {
	case ByMail:
		if to, err := ParseEmail(m.To); err != nil || string(to) != m.To {
			return errors.New("school: message: it is addressed to no e-mail address")
		}
		if m.Subject == "" {
			return errors.New("school: message: a mail needs a subject")
		}
	case ByText:
		if to, err := ParsePhone(m.To); err != nil || string(to) != m.To {
			return errors.New("school: message: it is addressed to no telephone number")
		}
	default:
		return fmt.Errorf("school: message: %q is no channel", m.Channel)
	}
	switch {
	case Line(m.Subject) != m.Subject || utf8.RuneCountInString(m.Subject) > MaxSubject:
		return fmt.Errorf("school: message: the subject is not one clean line of at most %d characters", MaxSubject)
	case m.Body == "" || Text(m.Body) != m.Body || utf8.RuneCountInString(m.Body) > MaxMessage:
		return fmt.Errorf("school: message: the body is not clean text of at most %d characters", MaxMessage)
	}
	return nil
}

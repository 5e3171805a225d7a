package main

import (
	"fmt"
	"log/slog"
	"time"

	"lectern/db"
	"lectern/db/school"
	"lectern/handlers/message"
)

// carriers are those who carry mails and text messages, as far as the settings name
// any.
func (s *settings) carriers() (map[school.Channel]message.Carrier, error) {
	all := map[school.Channel]message.Carrier{}
	if s.SMTP != "" {
		mail, err := message.NewMail(s.SMTP, nil)
		if err != nil {
			return nil, refuse("smtp", "%s", err)
		}
		all[school.ByMail] = mail
	}
	if s.SMSURL != "" {
		texts, err := message.NewTexts(s.SMSURL, nil)
		if err != nil {
			return nil, refuse("sms-url", "%s", err)
		}
		all[school.ByText] = texts
	}
	return all, nil
}

// outbox is where the site's messages are sent from. The log says where they go to.
func (s *settings) outbox(place *db.DB, log *slog.Logger) (*message.Outbox, error) {
	carriers, err := s.carriers()
	if err != nil {
		return nil, err
	}
	outbox := message.New(message.Config{Store: place, Carriers: carriers, Keep: s.Demo, Log: log, Now: time.Now})
	where := func(channel school.Channel) string {
		switch {
		case carriers[channel] != nil:
			return fmt.Sprint(carriers[channel])
		case outbox.Carries(channel):
			return "the demo's inbox"
		}
		return "nowhere"
	}
	log.Info("messages", "mails_go_to", where(school.ByMail), "texts_go_to", where(school.ByText), "kept", s.Demo)
	return outbox, nil
}

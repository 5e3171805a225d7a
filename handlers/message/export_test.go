package message

import (
	"context"
	"errors"
)

// CarryDue does once, and for every channel, what Run does every second.
func (o *Outbox) CarryDue(ctx context.Context) error {
	var errs []error
	for channel, carrier := range o.Carriers {
		errs = append(errs, o.carryDue(ctx, channel, carrier))
	}
	return errors.Join(errs...)
}

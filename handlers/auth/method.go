package auth

// Method is a way to prove who one is, in the words of RFC 8176 where it has one.
type Method string

// The methods. Tries of one account are counted over all of them together; the name
// is for the log, and for a session to say how its person came in.
const (
	Password     Method = "pwd"
	EmailCode    Method = "email-code"
	TextCode     Method = "sms"
	TOTP         Method = "otp"
	RecoveryCode Method = "recovery-code"
	Passkey      Method = "pop" // possession of a key, wherever it is kept
	Provider     Method = "provider"
	Reset        Method = "reset" // of a forgotten password, by a code
)

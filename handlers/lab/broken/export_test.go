package broken

// What a mended one is made with.
var (
	Lenient = lenient
	Sealing = sealing
)

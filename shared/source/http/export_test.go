package httpsource

// Signature lets tests sign what Client never would.
var Signature = signature

package page

import "rightsdesk/shared/page/words"

// NotOpen is what everybody sees before an installation is open: whoever runs it has
// not said yet whose it is, or how people are answered. It stands in a Frame that is
// Shut, because nothing can be led to.
type NotOpen struct{}

func (NotOpen) name() string               { return "notopen" }
func (NotOpen) title(w words.Words) string { return w.T("notopen.title") }

package request

// Object is where one of the files of a message is kept, numbered from 1. It is for
// whoever takes an installation's data away; everybody else asks Service.File.
func (k Attached) Object(id ID, file int) string { return k.object(id, file) }

package s3source

// ReadTags lets an order read the tags of so many versions only.
func (s *Source) ReadTags(n int) { s.maxTagged = n }

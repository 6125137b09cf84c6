package mail

import (
	"net/url"
	"strings"
)

// OneClick returns the headers that let a mail program end one mailing list by
// itself (RFC 8058), at an address of ours. There are none for an address that the
// RFC does not allow: a mail with half of the two is taken for spam.
//
// Whoever sends the mail puts both in as they are and has them signed (DKIM).
func OneClick(address string) []Header {
	u, err := url.Parse(address)
	value := "<" + address + ">"
	if err != nil || u.Host == "" || u.User != nil || u.Fragment != "" || !linkable(address) || strings.Contains(address, ",") ||
		u.Scheme != "https" && !here(u) || len(unsubscribe)+len(value) > maxHeader {
		return nil
	}
	return []Header{{unsubscribe, value}, {unsubscribe + "-Post", "List-Unsubscribe=One-Click"}}
}

const unsubscribe = "List-Unsubscribe"

// here reports whether an address is one of this computer: only there is http
// good enough.
func here(u *url.URL) bool {
	return u.Scheme == "http" && (u.Hostname() == "127.0.0.1" || u.Hostname() == "localhost")
}

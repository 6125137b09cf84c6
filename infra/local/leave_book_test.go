package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"hash"
)

// identifierOf makes an identifier from docs/leaving.md, without any code of ours.
func identifierOf(key []byte, kind, value string) string {
	mac := hmac.New(sha256.New, key)
	for _, part := range []string{"identifier", kind, value} {
		lengthThen(mac, part)
	}
	alphabet := base32.NewEncoding("0123456789abcdefghijklmnopqrstuv").WithPadding(base32.NoPadding)
	return "i1" + alphabet.EncodeToString(mac.Sum(nil)[:20])
}

func lengthThen(mac hash.Hash, part string) {
	var n [8]byte
	binary.BigEndian.PutUint64(n[:], uint64(len(part)))
	mac.Write(n[:])
	mac.Write([]byte(part))
}

func sumOf(b []byte) [sha256.Size]byte { return sha256.Sum256(b) }

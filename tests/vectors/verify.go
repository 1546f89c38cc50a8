// Verifies a signed note on standard input with the verifier keys given as arguments and prints its text: the peer's
// side of notes.rs.
package main

import (
	"fmt"
	"io"
	"os"

	"golang.org/x/mod/sumdb/note"
)

func main() {
	var verifiers []note.Verifier
	for _, key := range os.Args[1:] {
		verifier, err := note.NewVerifier(key)
		if err != nil {
			fail(err)
		}
		verifiers = append(verifiers, verifier)
	}
	message, err := io.ReadAll(os.Stdin)
	if err != nil {
		fail(err)
	}
	opened, err := note.Open(message, note.VerifierList(verifiers...))
	if err != nil {
		fail(err)
	}
	if len(opened.Sigs) != len(verifiers) {
		fail(fmt.Errorf("%d of %d keys signed", len(opened.Sigs), len(verifiers)))
	}
	fmt.Print(opened.Text)
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}

// Prints, for every pair of sizes up to the one in the argument, both roots and the consistency proof as Go's sumdb/tlog
// makes it, after checking that proof itself: leaves are the single bytes 00, 01, 02 …
package main

import (
	"encoding/hex"
	"fmt"
	"os"
	"strconv"

	"golang.org/x/mod/sumdb/tlog"
)

func main() {
	most, err := strconv.ParseInt(os.Args[1], 10, 64)
	if err != nil {
		panic(err)
	}
	var stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		var hashes []tlog.Hash
		for _, index := range indexes {
			hashes = append(hashes, stored[index])
		}
		return hashes, nil
	})
	var roots []tlog.Hash
	for second := int64(1); second <= most; second++ {
		hashes, err := tlog.StoredHashes(second-1, []byte{byte(second - 1)}, reader)
		if err != nil {
			panic(err)
		}
		stored = append(stored, hashes...)
		root, err := tlog.TreeHash(second, reader)
		if err != nil {
			panic(err)
		}
		roots = append(roots, root)
		for first := int64(1); first <= second; first++ {
			proof, err := tlog.ProveTree(second, first, reader)
			if err != nil {
				panic(err)
			}
			if err := tlog.CheckTree(proof, second, root, first, roots[first-1]); err != nil {
				panic(err)
			}
			fmt.Print(first, " ", second, " ", hex.EncodeToString(roots[first-1][:]), " ", hex.EncodeToString(root[:]))
			for _, hash := range proof {
				fmt.Print(" ", hex.EncodeToString(hash[:]))
			}
			fmt.Println()
		}
	}
}

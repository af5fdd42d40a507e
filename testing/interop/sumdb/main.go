// SPDX-License-Identifier: Apache-2.0

// Command sumdbcheck reads a tlog-tiles directory (https://c2sp.org/tlog-tiles) with the code of the Go checksum database,
// which shares nothing with ours: golang.org/x/mod/sumdb/note opens the checkpoint, golang.org/x/mod/sumdb/tlog hashes
// entries, checks tiles, and makes and checks proofs.
//
//	sumdbcheck -key VKEY -dir LOGDIR
//
// It prints one line and exits 0 when everything agrees, 1 when something does not, 2 when it is called wrongly.
package main

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	tileHeight = 8
	tileWidth  = 1 << tileHeight
	// Proofs are made for every index and size up to here, and for as many spread over the log beyond.
	maxProofs = 128
)

func main() {
	key := flag.String("key", "", "the log's verifier key")
	dir := flag.String("dir", "", "the directory that holds checkpoint and tile/")
	flag.Parse()
	if *key == "" || *dir == "" || flag.NArg() > 0 {
		flag.Usage()
		os.Exit(2)
	}
	summary, err := check(*key, *dir)
	if err != nil {
		fmt.Fprintln(os.Stderr, "sumdbcheck:", err)
		os.Exit(1)
	}
	fmt.Println(summary)
}

func check(vkey, dir string) (string, error) {
	tree, origin, err := openCheckpoint(vkey, filepath.Join(dir, "checkpoint"))
	if err != nil {
		return "", fmt.Errorf("checkpoint: %w", err)
	}
	leaves, hashes, err := hashEntries(dir, tree.N)
	if err != nil {
		return "", err
	}
	root, err := rootHash(tree.N, hashes)
	if err != nil {
		return "", fmt.Errorf("root hash: %w", err)
	}
	if root != tree.Hash {
		return "", fmt.Errorf("the entries hash to %v, the checkpoint says %v", root, tree.Hash)
	}
	tiles, err := checkTiles(dir, tree.N, hashes)
	if err != nil {
		return "", err
	}
	proofs, err := checkProofs(dir, tree, leaves)
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("ok: %s, %d entries, %d tiles, %d proofs", origin, tree.N, tiles, proofs), nil
}

// openCheckpoint verifies the signature and reads the three lines of a checkpoint.
func openCheckpoint(vkey, path string) (tree tlog.Tree, origin string, err error) {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return tree, "", err
	}
	msg, err := os.ReadFile(path)
	if err != nil {
		return tree, "", err
	}
	opened, err := note.Open(msg, note.VerifierList(verifier))
	if err != nil {
		return tree, "", err
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[3] != "" {
		return tree, "", errors.New("not three lines")
	}
	if lines[0] != verifier.Name() {
		return tree, "", fmt.Errorf("origin %q is not the name of the key", lines[0])
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil || strconv.FormatInt(size, 10) != lines[1] || size < 0 {
		return tree, "", fmt.Errorf("tree size %q", lines[1])
	}
	hash, err := tlog.ParseHash(lines[2])
	if err != nil || base64.StdEncoding.EncodeToString(hash[:]) != lines[2] {
		return tree, "", fmt.Errorf("root hash %q", lines[2])
	}
	return tlog.Tree{N: size, Hash: hash}, lines[0], nil
}

// hashEntries hashes every entry of every bundle into the storage order of the tlog package.
func hashEntries(dir string, size int64) ([]tlog.Hash, tlog.HashReader, error) {
	var leaves, stored []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		hashes := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			if index >= int64(len(stored)) {
				return nil, fmt.Errorf("no hash %d", index)
			}
			hashes[i] = stored[index]
		}
		return hashes, nil
	})
	for start := int64(0); start < size; start += tileWidth {
		width := int(min(tileWidth, size-start))
		name := c2spPath("entries", start/tileWidth, width)
		data, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			return nil, nil, err
		}
		for i := 0; i < width; i++ {
			if len(data) < 2 {
				return nil, nil, fmt.Errorf("%s: ends before entry %d", name, start+int64(i))
			}
			length := int(binary.BigEndian.Uint16(data))
			if len(data) < 2+length {
				return nil, nil, fmt.Errorf("%s: ends inside entry %d", name, start+int64(i))
			}
			entry := data[2 : 2+length]
			data = data[2+length:]
			hashes, err := tlog.StoredHashes(start+int64(i), entry, reader)
			if err != nil {
				return nil, nil, err
			}
			stored = append(stored, hashes...)
			leaves = append(leaves, tlog.RecordHash(entry))
		}
		if len(data) > 0 {
			return nil, nil, fmt.Errorf("%s: %d bytes after the last entry", name, len(data))
		}
	}
	return leaves, reader, nil
}

// rootHash is tlog.TreeHash, and for the empty tree, which the checksum database does not have, that of RFC 6962.
func rootHash(size int64, hashes tlog.HashReader) (tlog.Hash, error) {
	if size == 0 {
		return sha256.Sum256(nil), nil
	}
	return tlog.TreeHash(size, hashes)
}

// checkTiles compares every hash tile on disk with the one that follows from the entries.
func checkTiles(dir string, size int64, hashes tlog.HashReader) (int, error) {
	count := 0
	for level, width := 0, size; width > 0; level, width = level+1, width>>tileHeight {
		for start := int64(0); start < width; start += tileWidth {
			tile := tlog.Tile{H: tileHeight, L: level, N: start / tileWidth, W: int(min(tileWidth, width-start))}
			want, err := tlog.ReadTileData(tile, hashes)
			if err != nil {
				return count, err
			}
			name := c2spPath(strconv.Itoa(tile.L), tile.N, tile.W)
			got, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				return count, err
			}
			if !bytes.Equal(got, want) {
				return count, fmt.Errorf("%s: does not follow from the entries", name)
			}
			count++
		}
	}
	return count, nil
}

// checkProofs makes proofs from the tiles alone, as a client would, and checks them against the checkpoint.
func checkProofs(dir string, tree tlog.Tree, leaves []tlog.Hash) (int, error) {
	reader := tlog.TileHashReader(tree, &tileDirectory{dir: dir, read: map[tlog.Tile][]byte{}})
	count := 0
	step := max(1, tree.N/maxProofs)
	for index := int64(0); index < tree.N; index += step {
		proof, err := tlog.ProveRecord(tree.N, index, reader)
		if err != nil {
			return count, fmt.Errorf("inclusion of entry %d: %w", index, err)
		}
		if err := tlog.CheckRecord(proof, tree.N, tree.Hash, index, leaves[index]); err != nil {
			return count, fmt.Errorf("inclusion of entry %d: %w", index, err)
		}
		older := index + 1
		root, err := tlog.TreeHash(older, reader)
		if err != nil {
			return count, fmt.Errorf("root hash of size %d: %w", older, err)
		}
		growth, err := tlog.ProveTree(tree.N, older, reader)
		if err != nil {
			return count, fmt.Errorf("consistency from size %d: %w", older, err)
		}
		if err := tlog.CheckTree(growth, tree.N, tree.Hash, older, root); err != nil {
			return count, fmt.Errorf("consistency from size %d: %w", older, err)
		}
		count += 2
	}
	return count, nil
}

// tileDirectory serves the tiles of a directory to the tlog package, each read once.
type tileDirectory struct {
	dir  string
	read map[tlog.Tile][]byte
}

func (d *tileDirectory) Height() int { return tileHeight }

func (d *tileDirectory) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	data := make([][]byte, len(tiles))
	for i, tile := range tiles {
		content, ok := d.read[tile]
		if !ok {
			var err error
			name := c2spPath(strconv.Itoa(tile.L), tile.N, tile.W)
			if content, err = os.ReadFile(filepath.Join(d.dir, name)); err != nil {
				return nil, err
			}
			d.read[tile] = content
		}
		data[i] = content
	}
	return data, nil
}

// SaveTiles has nothing to do: what TileHashReader has verified is on disk already.
func (d *tileDirectory) SaveTiles([]tlog.Tile, [][]byte) {}

// c2spPath writes tile/LEVEL/NNN[.p/W]: the layout of the checksum database without its height, and with all of an index
// but its last three digits in elements that begin with x.
func c2spPath(level string, index int64, width int) string {
	path := fmt.Sprintf("%03d", index%1000)
	for index >= 1000 {
		index /= 1000
		path = fmt.Sprintf("x%03d/%s", index%1000, path)
	}
	if width < tileWidth {
		path = fmt.Sprintf("%s.p/%d", path, width)
	}
	return "tile/" + level + "/" + path
}

func min(a, b int64) int64 {
	if a < b {
		return a
	}
	return b
}

func max(a, b int64) int64 {
	if a > b {
		return a
	}
	return b
}

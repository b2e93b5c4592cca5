// Measures a hit in the token cache that every kube-apiserver has, k8s.io/apiserver/pkg/authentication/token/cache.
//
// The first line of standard input is a JSON list of tokens. Each further line, "COUNT SECONDS", has hits on the first
// COUNT tokens, one after the other, for that much CPU time, and is answered by a line with the nanoseconds of CPU that one
// hit took. What else the machine does meanwhile does not count, and what Go's garbage collector does does.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"syscall"
	"time"

	"k8s.io/apiserver/pkg/authentication/authenticator"
	"k8s.io/apiserver/pkg/authentication/token/cache"
	"k8s.io/apiserver/pkg/authentication/user"
)

// Looked at the clock no more often than this, so that looking does not count.
const hitsPerLook = 1000

func main() {
	in := bufio.NewReaderSize(os.Stdin, 1<<20)
	var tokens []string
	if err := json.NewDecoder(in).Decode(&tokens); err != nil {
		log.Fatal(err)
	}
	hits := newHits(tokens)
	for {
		var count int
		var seconds float64
		if _, err := fmt.Fscanln(in, &count, &seconds); err != nil {
			return
		}
		fmt.Printf("%f\n", hits.nanoseconds(count, time.Duration(seconds*float64(time.Second))))
	}
}

type hits struct {
	ctx           context.Context
	authenticator authenticator.Token
	tokens        []string
}

func newHits(tokens []string) hits {
	review := authenticator.TokenFunc(func(context.Context, string) (*authenticator.Response, bool, error) {
		info := &user.DefaultInfo{Name: "system:serviceaccount:shop:web", Groups: []string{"system:authenticated"}}
		return &authenticator.Response{User: info}, true, nil
	})
	h := hits{
		// As the API server calls it: with the audiences that it expects, and terms that do not end meanwhile.
		ctx:           authenticator.WithAudiences(context.Background(), authenticator.Audiences{"orders"}),
		authenticator: cache.New(review, false, time.Hour, time.Hour),
		tokens:        tokens,
	}
	for _, token := range tokens {
		h.hit(token)
	}
	return h
}

func (h hits) hit(token string) {
	if _, ok, err := h.authenticator.AuthenticateToken(h.ctx, token); !ok || err != nil {
		log.Fatal("the cache does not know a token of ours: ", err)
	}
}

func (h hits) nanoseconds(count int, duration time.Duration) float64 {
	tokens := h.tokens[:count]
	started := cpuTime()
	for done, next := 0, 0; ; {
		for range hitsPerLook {
			h.hit(tokens[next])
			if next++; next == count {
				next = 0
			}
		}
		done += hitsPerLook
		if elapsed := cpuTime() - started; elapsed >= duration {
			return float64(elapsed.Nanoseconds()) / float64(done)
		}
	}
}

func cpuTime() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		log.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

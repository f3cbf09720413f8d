// A peer of Heddle's that stands on grpc-go and Go's own net/http: what grpc-go does, not what generated code does.
//
//	peer serve            serves the echo service and plain bodies; prints both addresses; ends when its input does
//	peer call ADDRESS     calls an echo service in every way there is; prints what it saw as JSON
//
// PEERS_KEY and PEERS_CERT (serve) or PEERS_CA (call) are PEM texts; with them it speaks TLS.
package main

import (
	"fmt"
	"os"
)

func main() {
	var err error
	switch {
	case len(os.Args) == 2 && os.Args[1] == "serve":
		err = serve(os.Getenv("PEERS_CERT"), os.Getenv("PEERS_KEY"))
	case len(os.Args) == 3 && os.Args[1] == "call":
		err = call(os.Args[2], os.Getenv("PEERS_CA"))
	default:
		err = fmt.Errorf("usage: %s serve | call ADDRESS", os.Args[0])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// SPDX-License-Identifier: Apache-2.0

// Makes a backup through a bakplane server, follows the job to its end, and lists what there is:
//
//	bakplane-client [-tls-ca FILE] [-cert FILE -key FILE] ADDRESS TOKEN-FILE NAME
//
// Jobs are bakplane.v1.Jobs; the list is MilvusBackupService, which clients of milvus-backup have.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/protobuf/types/known/structpb"

	backup "example.org/bakplane-client/gen/backup"
	jobs "example.org/bakplane-client/gen/jobs"
)

var (
	caFile   = flag.String("tls-ca", "", "PEM of who signed the server's certificate; without it no TLS")
	certFile = flag.String("cert", "", "PEM of our own certificate, where the server wants one")
	keyFile  = flag.String("key", "", "its key")
)

// A token goes with every call. gRPC sends it over plain text only because we say so.
type token string

func (t token) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": "Bearer " + string(t)}, nil
}

func (t token) RequireTransportSecurity() bool { return *caFile != "" }

func transport() (credentials.TransportCredentials, error) {
	if *caFile == "" {
		return insecure.NewCredentials(), nil
	}
	pem, err := os.ReadFile(*caFile)
	if err != nil {
		return nil, err
	}
	config := &tls.Config{RootCAs: x509.NewCertPool()}
	if !config.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s: no certificate in it", *caFile)
	}
	if *certFile != "" {
		own, err := tls.LoadX509KeyPair(*certFile, *keyFile)
		if err != nil {
			return nil, err
		}
		config.Certificates = []tls.Certificate{own}
	}
	return credentials.NewTLS(config), nil
}

// Starts a create and returns the job when it is over.
func create(ctx context.Context, client jobs.JobsClient, name string) (*jobs.Job, error) {
	request, err := structpb.NewStruct(map[string]any{"verb": "create", "name": name})
	if err != nil {
		return nil, err
	}
	// With a key it is safe to ask again when no answer came.
	job, err := client.Start(ctx, &jobs.StartRequest{Request: request, Key: "create-" + name})
	if err != nil {
		return nil, err
	}
	stream, err := client.Watch(ctx, &jobs.WatchRequest{Id: job.Id})
	if err != nil {
		return nil, err
	}
	for {
		next, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return job, nil
		}
		if err != nil {
			return nil, err
		}
		job = next
		fmt.Printf("job %s: %s, %d of %d items\n", job.Id, job.State,
			job.GetProgress().GetItemsDone(), job.GetProgress().GetItemsTotal())
	}
}

func list(ctx context.Context, client backup.MilvusBackupServiceClient) error {
	answer, err := client.ListBackups(ctx, &backup.ListBackupsRequest{})
	if err != nil {
		return err
	}
	if answer.Code != backup.ResponseCode_Success {
		return fmt.Errorf("%s: %s", answer.Code, answer.Msg)
	}
	for _, one := range answer.Data {
		fmt.Printf("backup %s: %s\n", one.Name, one.StateCode)
	}
	return nil
}

func run(address, tokenFile, name string) error {
	text, err := os.ReadFile(tokenFile)
	if err != nil {
		return err
	}
	security, err := transport()
	if err != nil {
		return err
	}
	connection, err := grpc.NewClient(address, grpc.WithTransportCredentials(security),
		grpc.WithPerRPCCredentials(token(strings.TrimSpace(string(text)))))
	if err != nil {
		return err
	}
	defer connection.Close()
	ctx := context.Background()
	job, err := create(ctx, jobs.NewJobsClient(connection), name)
	if err != nil {
		return err
	}
	if job.State != "succeeded" {
		return fmt.Errorf("job %s: %s: %s", job.Id, job.State, job.GetError().GetMessage())
	}
	return list(ctx, backup.NewMilvusBackupServiceClient(connection))
}

func main() {
	log.SetFlags(0)
	flag.Parse()
	if flag.NArg() != 3 {
		log.Fatal("usage: bakplane-client [OPTION...] ADDRESS TOKEN-FILE NAME")
	}
	if err := run(flag.Arg(0), flag.Arg(1), flag.Arg(2)); err != nil {
		log.Fatal(err)
	}
}

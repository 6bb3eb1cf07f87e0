# Build the static binary, and run it as nobody in an image that holds nothing else.
FROM golang:1.26 AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -ldflags="-s -w" -o /out/muster ./cmd/muster \
 && mkdir -m 0700 /out/data

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/muster /muster
COPY --from=build --chown=65532:65532 /out/data /data
USER 65532:65532
ENV MUSTER_LISTEN=0.0.0.0:8080 MUSTER_STORE=bolt:///data/muster.db
VOLUME /data
EXPOSE 8080
ENTRYPOINT ["/muster"]
CMD ["serve"]

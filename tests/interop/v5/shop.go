package main

import "context"

// Shop takes and answers values of every shape.
type Shop struct{}

type Parcel struct {
	ID      uint64            `json:"id"`
	Express bool              `json:"express"`
	Weight  float64           `json:"weight"`
	Lines   []*ParcelLine     `json:"lines"`
	Home    ParcelAddress     `json:"home"`
	Notes   map[string]string `json:"notes"`
	Tags    []string          `json:"tags"`
}

type ParcelLine struct {
	Item  string `json:"item"`
	Count int32  `json:"count"`
}

type ParcelAddress struct {
	Street string       `json:"street"`
	Where  ParcelPlaces `json:"where"`
}

type ParcelPlaces struct {
	Latitude float32 `json:"latitude"`
}

type Receipt struct {
	Parcel Parcel `json:"parcel"`
	Cents  int64  `json:"cents"`
}

// Send answers with the parcel that it was given.
func (s *Shop) Send(ctx context.Context, req *Parcel, rsp *Receipt) error {
	rsp.Parcel, rsp.Cents = *req, 129_900
	return nil
}

package main

import (
	"context"
	"io"
	"sync"

	"micro.example/interop/guide/routeguide"

	"go-micro.dev/v5/errors"
)

// guide is what the generated server calls.
type guide struct {
	features []*routeguide.Feature
	recorded func(*routeguide.RouteSummary)
	lock     sync.Mutex
	notes    map[place][]*routeguide.RouteNote
}

type place struct{ latitude, longitude int32 }

func at(point *routeguide.Point) place {
	return place{point.GetLatitude(), point.GetLongitude()}
}

func (g *guide) feature(point *routeguide.Point) *routeguide.Feature {
	for _, feature := range g.features {
		if at(feature.Location) == at(point) {
			return feature
		}
	}
	return &routeguide.Feature{Location: point}
}

func (g *guide) GetFeature(_ context.Context, point *routeguide.Point, feature *routeguide.Feature) error {
	if !within(point.GetLatitude(), 900_000_000) || !within(point.GetLongitude(), 1_800_000_000) {
		return errors.BadRequest("routeguide", "a point is on the globe")
	}
	found := g.feature(point)
	feature.Name, feature.Location = found.Name, found.Location
	return nil
}

func within(degrees, limit int32) bool {
	return -limit <= degrees && degrees <= limit
}

func (g *guide) ListFeatures(_ context.Context, r *routeguide.Rectangle, features routeguide.RouteGuide_ListFeaturesStream) error {
	if r.Lo == nil || r.Hi == nil {
		return errors.BadRequest("routeguide", "a rectangle has two corners")
	}
	for _, feature := range g.features {
		north, east := feature.Location.Latitude, feature.Location.Longitude
		if min(r.Lo.Latitude, r.Hi.Latitude) <= north && north <= max(r.Lo.Latitude, r.Hi.Latitude) &&
			min(r.Lo.Longitude, r.Hi.Longitude) <= east && east <= max(r.Lo.Longitude, r.Hi.Longitude) {
			if err := features.Send(feature); err != nil {
				return err
			}
		}
	}
	return nil
}

func (g *guide) RecordRoute(_ context.Context, points routeguide.RouteGuide_RecordRouteStream) error {
	summary := &routeguide.RouteSummary{}
	for {
		point, err := points.Recv()
		if err == io.EOF {
			g.recorded(summary)
			// The generated stream has no Send of a summary.
			return points.SendMsg(summary)
		}
		if err != nil {
			return err
		}
		summary.PointCount++
		if g.feature(point).Name != "" {
			summary.FeatureCount++
		}
	}
}

func (g *guide) RouteChat(_ context.Context, chat routeguide.RouteGuide_RouteChatStream) error {
	for {
		note, err := chat.Recv()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if note.Location == nil {
			return errors.BadRequest("routeguide", "a note is left somewhere")
		}
		for _, earlier := range g.leave(note) {
			if err := chat.Send(earlier); err != nil {
				return err
			}
		}
	}
}

// leave keeps a note, and answers those that were left there before.
func (g *guide) leave(note *routeguide.RouteNote) []*routeguide.RouteNote {
	g.lock.Lock()
	defer g.lock.Unlock()
	earlier := g.notes[at(note.Location)]
	g.notes[at(note.Location)] = append(earlier, note)
	return earlier
}

package main

import (
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// meter counts requests for /metrics, by route pattern: a path with ids in it would make a series for each user.
type meter struct {
	registry *prometheus.Registry
	seconds  *prometheus.HistogramVec
}

// newMeter makes a meter. ignored is the number of attributes that clients sent in vain, retries that of transactions
// which lost a race and ran again.
func newMeter(ignored, retries func() uint64) *meter {
	m := &meter{
		registry: prometheus.NewRegistry(),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "muster_http_request_seconds",
			Help:    "Time to answer, by route, method and status.",
			Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10},
		}, []string{"route", "method", "status"}),
	}
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), m.seconds,
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "muster_scim_ignored_attributes_total",
			Help: "Attributes in SCIM requests that no schema has.",
		}, func() float64 { return float64(ignored()) }),
		prometheus.NewCounterFunc(prometheus.CounterOpts{
			Name: "muster_store_retries_total",
			Help: "Transactions that lost a race and ran again.",
		}, func() float64 { return float64(retries()) }))
	return m
}

func (m *meter) count(next echo.HandlerFunc) echo.HandlerFunc {
	return func(c echo.Context) error {
		begin := time.Now()
		err := next(c)
		if err != nil {
			c.Error(err) // answers it, so that the status is known
		}
		route := c.Path()
		if route == "" {
			route = "none"
		}
		m.seconds.WithLabelValues(route, method(c.Request().Method), strconv.Itoa(c.Response().Status)).Observe(time.Since(begin).Seconds())
		return nil
	}
}

// method bounds a label that clients may choose freely.
func method(name string) string {
	switch name {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return name
	}
	return "other"
}

func (m *meter) handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{}))
	return mux
}

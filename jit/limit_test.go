package jit

import (
	"strconv"
	"testing"
	"time"
)

func TestALimiterLetsABurstThroughAndThenOneAtATime(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	l := newLimiter(allowance{Burst: 3, Every: time.Second})
	for i := range 3 {
		if wait := l.take("a", now); wait != 0 {
			t.Fatalf("message %d waits %s", i, wait)
		}
	}
	if wait := l.take("a", now); wait != time.Second {
		t.Errorf("the fourth waits %s", wait)
	}
	if wait := l.take("b", now); wait != 0 {
		t.Errorf("another sender waits %s", wait)
	}
	if wait := l.take("a", now.Add(time.Second)); wait != 0 {
		t.Errorf("a second later it waits %s", wait)
	}
	l.giveBack("a", now.Add(time.Second))
	if wait := l.take("a", now.Add(time.Second)); wait != 0 {
		t.Errorf("after one was given back it waits %s", wait)
	}
}

func TestALimitersMemoryIsBoundedAndNobodyIsRefusedBecauseOfOthers(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	l := newLimiter(allowance{Burst: 2, Every: time.Second})
	for i := range 3 * maxBuckets {
		if wait := l.take(strconv.Itoa(i), now); wait != 0 {
			t.Fatalf("sender %d waits %s", i, wait)
		}
	}
	if len(l.buckets) > maxBuckets {
		t.Errorf("%d buckets", len(l.buckets))
	}
	l.take("0", now)
	if wait := l.take("0", now); wait == 0 {
		t.Error("a sender that was counted before is counted no more")
	}
	l.take("late", now.Add(time.Minute))
	if len(l.buckets) != 1 {
		t.Errorf("%d buckets are left when all owe nothing", len(l.buckets))
	}
}

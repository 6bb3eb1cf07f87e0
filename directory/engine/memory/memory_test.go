package memory_test

import (
	"testing"

	"muster/directory/engine"
	"muster/directory/engine/enginetest"
	"muster/directory/engine/memory"
)

func TestEngine(t *testing.T) {
	enginetest.Run(t, enginetest.Harness{Open: func(testing.TB, string) engine.Engine {
		return memory.New(memory.Options{})
	}})
}

func TestEngineWithinTightLimits(t *testing.T) {
	tight := engine.Limits{Operations: 128, Bytes: 3 << 19, KeyBytes: 512, ValueBytes: 1 << 20, Serial: true}
	enginetest.Run(t, enginetest.Harness{Open: func(testing.TB, string) engine.Engine {
		return memory.New(memory.Options{Limits: tight})
	}})
}

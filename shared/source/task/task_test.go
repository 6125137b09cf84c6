package task_test

import (
	"errors"
	"testing"

	"rightsdesk/shared/source"
	"rightsdesk/shared/source/task"
)

func TestATaskIsNeverAnAnswer(t *testing.T) {
	t.Parallel()
	var s source.Source = task.Source("archive")
	found, err := s.Find(t.Context(), source.Ask{})
	if !errors.Is(err, source.ErrHuman) || found.Done || errors.Is(err, source.ErrLater) || errors.Is(err, source.ErrRefused) {
		t.Errorf("find: %+v, %v", found, err)
	}
	done, err := s.Execute(t.Context(), source.Order{})
	if !errors.Is(err, source.ErrHuman) || done.Done {
		t.Errorf("execute: %+v, %v", done, err)
	}
}

func TestATaskIsSweptByPeople(t *testing.T) {
	t.Parallel()
	var s source.Source = task.Source("archive")
	if _, sweeps := s.(source.Sweeper); sweeps {
		t.Error("it says that it can be asked for what is old")
	}
}

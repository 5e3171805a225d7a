package lab

// Read reads an experiment that a test has written.
var Read = readExperiment

// Own has the lab read its experiments for itself, so that they can be changed.
func (l *Lab) Own() (err error) {
	l.experiments, err = load(files)
	return err
}

// Add puts one beside those that the lab has.
func (l *Lab) Add(e *Experiment) { l.experiments = append(l.experiments, e) }

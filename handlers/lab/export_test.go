package lab

// Read reads an experiment that a test has written.
var Read = readExperiment

// Add puts one beside those that the lab has.
func (l *Lab) Add(e *Experiment) { l.experiments = append(l.experiments, e) }

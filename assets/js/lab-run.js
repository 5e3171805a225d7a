// An experiment of the lab.

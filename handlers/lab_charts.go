package handlers

import (
	"lectern/handlers/lab"
	"lectern/views/labview"
)

// charts are the figures that are drawn, where an experiment has measured what a
// request costs.
var charts = []struct{ measure, title, unit string }{
	{"micros", "Time at the door", "microseconds, the median of a request"},
	{"cookie_bytes", "On the wire", "bytes of cookies in each request"},
	{"reads_in_all", "Store reads", "in all requests together"},
	{"rows", "Records on the server", "for the people who are signed in at the end"},
}

// chartsOf draws what was measured for each kind of session; nothing for an
// experiment that is not about cost.
func chartsOf(run *lab.Run) []labview.ChartProps {
	var all []labview.ChartProps
	for _, chart := range charts {
		props := labview.ChartProps{ID: "chart-" + chart.measure, Title: chart.title, Unit: chart.unit}
		for i := range run.Columns {
			c := &run.Columns[i]
			if _, costs := c.Measured["micros"]; !costs {
				continue
			}
			value, ok := c.Measured[chart.measure]
			if !ok {
				continue
			}
			says := ""
			for _, f := range figureWords {
				if f.name == chart.measure {
					says = f.write(value)
				}
			}
			props.Bars = append(props.Bars, labview.Bar{Label: c.Label, Backend: c.Kind, Value: value, Says: says})
		}
		if len(props.Bars) > 1 {
			all = append(all, props)
		}
	}
	return all
}

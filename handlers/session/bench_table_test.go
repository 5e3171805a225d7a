package session_test

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
)

// BenchmarkResolveTable measures all in one run and prints two tables: what
// each way to keep a session costs, and ours in ratio to their rivals.
func BenchmarkResolveTable(b *testing.B) {
	var all []resolver
	var turns []func()
	rows := append(ours(b), rivals(b)...)
	for _, v := range rows {
		if v.absent == "" {
			all = append(all, v)
			turns = append(turns, v.request(b, v.cookie))
		}
	}
	nanos := map[string]float64{}
	for b.Loop() {
		for i, best := range rounds(40, 2000, turns) {
			nanos[all[i].name] = best
		}
	}

	var table strings.Builder
	fmt.Fprintf(&table, "\n%s\n\n%-15s %9s %7s %7s %9s %11s %6s\n", machine(), "session", "ns", "allocs", "bytes", "Cookie B", "Set-Cookie B", "trips")
	for _, v := range rows {
		if v.absent != "" {
			fmt.Fprintf(&table, "%-15s %s\n", v.name, v.absent)
			continue
		}
		allocs, bytes := allocated(v.request(b, v.cookie))
		fmt.Fprintf(&table, "%-15s %9.0f %7d %7d %9d %12d %6d\n", v.name, nanos[v.name], allocs, bytes, len(v.cookie), v.signIn, v.trips)
	}
	fmt.Fprintf(&table, "\n%-10s %-15s %7s %7s\n", "ours", "theirs", "ratio", "most")
	for _, d := range duels {
		if nanos[d.ours] == 0 || nanos[d.theirs] == 0 {
			fmt.Fprintf(&table, "%-10s %-15s not measured\n", d.ours, d.theirs)
			continue
		}
		ratio := nanos[d.ours] / nanos[d.theirs]
		fmt.Fprintf(&table, "%-10s %-15s %7.2f %7.2f%s\n", d.ours, d.theirs, ratio, d.most, verdict(ratio, d.most))
		b.ReportMetric(ratio, d.ours+"-ratio")
	}
	fmt.Print(table.String())
	b.ReportMetric(0, "ns/op")
}

// allocated is how many times a request asks for memory, and how much.
func allocated(request func()) (times, bytes uint64) {
	const requests = 1000
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range requests {
		request()
	}
	runtime.ReadMemStats(&after)
	return (after.Mallocs - before.Mallocs) / requests, (after.TotalAlloc - before.TotalAlloc) / requests
}

// verdict marks what is beyond its target.
func verdict(is, most float64) string {
	if is > most {
		return "  missed"
	}
	return ""
}

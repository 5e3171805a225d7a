package handlers

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"lectern/db"
	"lectern/db/school"
	"lectern/handlers/auth"
	"lectern/handlers/lab"
	"lectern/handlers/policy"
)

// permissionsClass is Grace's class in the worlds of the matrix.
const permissionsClass = "K7M3P"

// permissionWorlds makes the sites in which the cells of the matrix are asked: the
// school of the experiments with some more people, lessons and courses, and a site
// that has all that this one has. Each decision of its gate is handed to decided.
func (s *Server) permissionWorlds(demo bool, decided func(*http.Request, policy.Decision)) lab.Builder {
	return func(ctx context.Context, plan lab.Plan) (lab.Site, error) {
		data := permissionsSchool(plan.Now(), demo)
		w := &smallWorld{plan: plan, redis: redisOf(s.LabRedis, plan)}
		for _, u := range data.Users {
			w.people = append(w.people, u.User)
		}
		w.whole = func(c *Config) {
			c.Lab, c.Demo, c.LabRuns = s.Lab, true, s.LabRuns
			c.ClassCodes = auth.NewLimiter(auth.Limit{Name: "class codes", Burst: 1, Per: time.Minute}, plan.Now)
			c.ClassForms = auth.NewLimiter(auth.Limit{Name: "class forms", Burst: 1, Per: time.Minute}, plan.Now)
			c.Decided = decided
		}
		if err := w.fill(ctx, data); err != nil {
			return nil, err
		}
		if err := w.db.OpenClass(ctx, permissionsClass, smallPeople[2].ID, plan.Now()); err != nil {
			return nil, errors.Join(err, w.db.Close())
		}
		return w, nil
	}
}

// permissionsSchool has, beside what a small school has, another instructor, somebody
// who takes no part, a lesson for those who joined, one that is a draft, and a course
// that is one.
func permissionsSchool(now time.Time, demo bool) db.SeedData {
	data := smallSchool(now)
	since := data.Users[0].CreatedAt
	for _, p := range []school.User{
		{ID: "hb5wq3mtx7rkd2nzs4vcyo6ej7", Name: "Rob Tremaine", Email: "rob@lectern.example", Role: school.Instructor},
		{ID: "t6zjxe2ka5nhq7mwrdc3vuyo4s", Name: "Ivy Larkin", Email: "ivy@lectern.example", Role: school.Student},
	} {
		p.CreatedAt = since
		data.Users = append(data.Users, db.SeedUser{User: p, PasswordHash: smallHash})
	}
	for i := range data.Users {
		data.Users[i].Demo = demo
	}
	knots := &data.Courses[0]
	lessons := &knots.Chapters[0].Lessons
	for _, l := range []school.Lesson{
		{LessonHead: school.LessonHead{ID: "sheetbendsheetbendsheetben", Slug: "sheet-bend", Title: "The sheet bend", Status: school.Published}},
		{LessonHead: school.LessonHead{ID: "turksheadturksheadturkshea", Slug: "turks-head", Title: "The turk’s head", Status: school.Draft}},
	} {
		first := (*lessons)[0]
		l.Kind, l.Minutes, l.CourseID, l.ChapterID, l.Version, l.UpdatedAt, l.UpdatedBy = first.Kind, first.Minutes, first.CourseID, first.ChapterID, 1, since, first.UpdatedBy
		l.Body = "Tie it, look at it, and untie it again."
		*lessons = append(*lessons, l)
	}
	splices := db.SeedCourse{Course: knots.Course}
	splices.ID, splices.Slug, splices.Title, splices.Number, splices.Status = "splicessplicessplicessplic", "splices", "Splices", 2, school.Draft
	splices.PublishedAt = time.Time{}
	splices.Outcomes = slices.Clone(splices.Outcomes)
	data.Courses = append(data.Courses, splices)
	return data
}

package db

import (
	"context"
	"time"

	"lectern/db/school"
)

// Bin is what lies in a course's bin.
type Bin struct {
	Chapters []BinChapter // the last deleted first
	Lessons  []BinLesson  // likewise; those of deleted chapters come with them
}

// BinChapter is a deleted chapter, without its lessons.
type BinChapter struct {
	school.Chapter
	DeletedAt time.Time
}

// BinLesson is a deleted lesson.
type BinLesson struct {
	school.LessonHead
	DeletedAt time.Time
}

var (
	binChapters = statement("chapters in the bin", `
	SELECT`+chapterColumns+`,
	       h.deleted_at
	  FROM chapters AS h
	 WHERE h.course_id = $1
	   AND h.deleted_at IS NOT NULL
	 ORDER BY h.deleted_at DESC, h.id`)

	binLessons = statement("lessons in the bin", `
	SELECT`+lessonHeadColumns+`,
	       l.deleted_at
	  FROM lessons AS l
	  JOIN chapters AS h ON h.id = l.chapter_id
	 WHERE l.course_id = $1
	   AND l.deleted_at IS NOT NULL
	   AND h.deleted_at IS NULL
	 ORDER BY l.deleted_at DESC, l.id`)
)

// Bin lists what has been deleted from a course and can be restored.
func (d *DB) Bin(ctx context.Context, courseID school.ID) (Bin, error) {
	chapters, err := all(ctx, d, binChapters, func(row scanner) (h BinChapter, err error) {
		err = row.Scan(append(chapterFields(&h.Chapter), instant{&h.DeletedAt})...)
		return h, err
	}, courseID)
	if err != nil {
		return Bin{}, err
	}
	lessons, err := all(ctx, d, binLessons, func(row scanner) (l BinLesson, err error) {
		err = row.Scan(append(lessonHeadFields(&l.LessonHead), instant{&l.DeletedAt})...)
		return l, err
	}, courseID)
	return Bin{chapters, lessons}, err
}

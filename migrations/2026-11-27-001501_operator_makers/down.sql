DROP TABLE operator_makers;

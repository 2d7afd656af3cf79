/** A resume written by hand, of a person who does not exist, to show a trained tagger on text it never saw. */

export const SAMPLE_RESUME = `Marisol Quintero-Hayes
Senior Data Engineer
Leeds, United Kingdom | marisol.quintero@example.org | +44 7700 900 461

SUMMARY
Data engineer with 9 years of experience in building pipelines for energy and transport companies.
Skilled in Python, Spark and Airflow.

WORK EXPERIENCE

Senior Data Engineer
Northgate Energy Ltd, Leeds
March 2019 - Present
• Moved 40 nightly jobs from Oracle to Snowflake and cut their run time by half.
• Led a team of four and introduced code reviews.

Data Analyst
Brightwater Logistics, Manchester
June 2015 - February 2019
• Built dashboards in Tableau for the operations department.
• Prepared monthly reports on fuel use.

EDUCATION

M.Sc. in Statistics
University of Sheffield, Sheffield, 2015

Bachelor of Science in Mathematics
Aldermoor College, 2013

SKILLS
Python, SQL, Spark, Airflow, Docker, PostgreSQL, Terraform, Tableau

LANGUAGES
English, Spanish
`;

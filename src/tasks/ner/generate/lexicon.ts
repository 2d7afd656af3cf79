/** Words for made-up resumes: what people of several trades are called, can do and have done. */

/** A trade with its own job titles, skills and work. Slots: {skill} a skill, {n} a number. */
export interface Trade {
  readonly roles: readonly string[];
  readonly skills: readonly string[];
  readonly studies: readonly string[];
  readonly tasks: readonly string[];
}

const list = (text: string): string[] => text.split("|").map((item) => item.trim());

export const TRADES: readonly Trade[] = [
  {
    roles: list(
      "Software Engineer|Java Developer|Web Developer|Full Stack Developer|Backend Engineer|Frontend Developer|Systems Engineer|Programmer Analyst|Application Developer|iOS Developer|Android Developer|DevOps Engineer|Technical Architect|QA Engineer|Test Automation Engineer|Site Reliability Engineer|Embedded Software Engineer|Team Lead|Technology Analyst|SAP ABAP Consultant|Oracle Developer|.NET Developer|UI Developer|Scrum Master|Technical Support Engineer",
    ),
    skills: list(
      "Java|C|C++|C#|Python|JavaScript|TypeScript|Go|Rust|Ruby|PHP|Perl|Scala|Kotlin|Swift|HTML|HTML5|CSS|XML|JSON|jQuery|React|React Native|Angular|AngularJS|Vue.js|Node.js|Express|Spring|Spring Boot|Hibernate|J2EE|JSP|Servlets|Struts|.NET|ASP.NET|MVC|Django|Flask|Ruby on Rails|Laravel|GraphQL|REST APIs|Web Services|SOAP|Microservices|Docker|Kubernetes|Jenkins|Ansible|Terraform|AWS|Azure|Google Cloud|Git|GitHub|SVN|JIRA|Maven|Gradle|JUnit|Selenium|Cucumber|Linux|Unix|Windows|Shell Scripting|Bash|Oracle|MySQL|PostgreSQL|SQL Server|MongoDB|Redis|Cassandra|Kafka|RabbitMQ|Elasticsearch|PL/SQL|Eclipse|IntelliJ IDEA|Visual Studio|Tomcat|WebLogic|WebSphere|Apache|Nginx|SAP ABAP|SAP HANA|Salesforce|Data Structures|Algorithms|Agile|Scrum|Object Oriented Programming|Design Patterns|Unit Testing|Load Testing|Manual Testing|CI/CD|Android SDK|Xcode|VHDL|Verilog|Embedded C|MATLAB",
    ),
    studies: list(
      "Computer Science|Computer Engineering|Information Technology|Software Engineering|Information Science|Electronics and Communication|Computer Applications|Electrical Engineering",
    ),
    tasks: list(
      "Developed new features of the billing portal using {skill} and {skill}|Designed and built {n} services in {skill}|Wrote unit tests and fixed defects found during integration|Migrated a legacy application to {skill}|Reduced the build time by {n}%|Took part in code reviews and daily stand-ups|Maintained the customer database and tuned slow queries|Automated the nightly deployment with {skill}|Gathered requirements from business users and wrote technical specifications|Supported production systems for {n} internal teams",
    ),
  },
  {
    roles: list(
      "Data Analyst|Data Scientist|Business Analyst|Machine Learning Engineer|BI Developer|Data Engineer|Statistician|Research Assistant|Reporting Analyst|Database Administrator|ETL Developer|Quantitative Analyst|Research Scientist",
    ),
    skills: list(
      "R|SQL|SAS|SPSS|Stata|Tableau|Power BI|QlikView|Excel|Pandas|NumPy|scikit-learn|TensorFlow|PyTorch|Keras|Spark|Hadoop|Hive|Pig|Sqoop|Airflow|Informatica|SSIS|SSRS|Snowflake|BigQuery|Redshift|Data Mining|Data Warehousing|Machine Learning|Deep Learning|Natural Language Processing|Statistics|Time Series Analysis|A/B Testing|Forecasting|Regression|Data Visualization|Jupyter|Business Intelligence|Requirements Analysis|Predictive Modeling|Teradata",
    ),
    studies: list(
      "Statistics|Mathematics|Data Science|Applied Mathematics|Economics|Physics|Business Analytics|Operations Research",
    ),
    tasks: list(
      "Built dashboards in {skill} for {n} regional managers|Cleaned and joined data from {n} sources with {skill}|Trained models in {skill} that cut churn by {n}%|Presented weekly findings to senior management|Wrote reports on customer behaviour and product usage|Set up data pipelines with {skill} and {skill}|Designed surveys and analysed {n} responses|Documented data definitions for the whole department",
    ),
  },
  {
    roles: list(
      "Accountant|Financial Analyst|Auditor|Tax Consultant|Accounts Payable Clerk|Bookkeeper|Finance Manager|Credit Analyst|Payroll Specialist|Investment Banking Associate|Relationship Manager|Branch Manager|Loan Officer|Accounts Executive|Treasury Analyst",
    ),
    skills: list(
      "Accounting|Bookkeeping|QuickBooks|Tally ERP|Tally|SAP FICO|Financial Modeling|Financial Reporting|Budgeting|Auditing|Taxation|GST|IFRS|GAAP|Accounts Payable|Accounts Receivable|Bank Reconciliation|Payroll|Cost Control|Risk Management|Internal Controls|Bloomberg Terminal|Oracle Financials|MS Excel|VBA|Pivot Tables|Month-end Closing|Credit Analysis|Portfolio Management|Compliance|Variance Analysis",
    ),
    studies: list(
      "Accounting|Finance|Commerce|Business Administration|Banking|Accountancy|Taxation|Economics",
    ),
    tasks: list(
      "Prepared monthly statements and balance sheets for {n} entities|Reconciled bank accounts and vendor ledgers|Processed {n} invoices a week in {skill}|Assisted the external auditors during year-end closing|Monitored budgets and explained deviations to management|Reduced overdue receivables by {n}%|Filed tax returns on time using {skill}|Reviewed loan applications and credit files",
    ),
  },
  {
    roles: list(
      "Sales Executive|Marketing Manager|Account Manager|Business Development Manager|Sales Associate|Digital Marketing Specialist|Brand Manager|Regional Sales Manager|SEO Specialist|Content Writer|Public Relations Officer|Store Manager|Customer Service Representative|Retail Supervisor|Area Sales Manager|Social Media Manager|Telecaller",
    ),
    skills: list(
      "Sales|Marketing|Lead Generation|Cold Calling|Negotiation|CRM|HubSpot|Salesforce CRM|Google Analytics|Google Ads|SEO|SEM|Social Media Marketing|Email Marketing|Content Marketing|Copywriting|Market Research|Brand Management|Business Development|Key Account Management|Customer Service|Customer Relationship Management|Merchandising|Event Management|Public Speaking|Mailchimp|WordPress|Adobe Photoshop|Canva|Inventory Management|Retail Sales|Channel Sales|Competitor Analysis",
    ),
    studies: list(
      "Marketing|Business Administration|Communication|Journalism|Sales Management|International Business|Mass Communication|Public Relations",
    ),
    tasks: list(
      "Exceeded the yearly sales target by {n}%|Managed {n} key accounts in the region|Opened {n} new stores and hired their staff|Ran campaigns with {skill} and {skill}|Answered customer complaints by phone and e-mail|Negotiated contracts with distributors and dealers|Trained {n} junior colleagues in {skill}|Organised product launches and trade fairs",
    ),
  },
  {
    roles: list(
      "Mechanical Engineer|Civil Engineer|Electrical Engineer|Site Engineer|Project Manager|Quality Engineer|Production Supervisor|Maintenance Technician|Design Engineer|Process Engineer|CAD Drafter|Plant Manager|Safety Officer|Welder|Construction Manager|Supply Chain Analyst|Logistics Coordinator|Warehouse Supervisor",
    ),
    skills: list(
      "AutoCAD|SolidWorks|CATIA|ANSYS|Revit|Pro/E|Creo|PLC Programming|SCADA|Lean Manufacturing|Six Sigma|Kaizen|5S|Quality Control|Quality Assurance|ISO 9001|Preventive Maintenance|Project Management|Primavera|MS Project|Cost Estimation|Site Supervision|HVAC|Welding|Blueprint Reading|CNC Machining|GD&T|Root Cause Analysis|FMEA|Logistics|Procurement|SAP MM|Supply Chain Management|Warehouse Management|Health and Safety|Surveying|Structural Analysis|STAAD Pro",
    ),
    studies: list(
      "Mechanical Engineering|Civil Engineering|Electrical Engineering|Industrial Engineering|Chemical Engineering|Production Engineering|Automobile Engineering|Construction Management",
    ),
    tasks: list(
      "Supervised {n} workers on the assembly line|Prepared drawings in {skill} for pumps and valves|Cut scrap by {n}% through {skill}|Inspected incoming material and recorded deviations|Planned the maintenance of {n} machines|Coordinated suppliers, contractors and inspectors|Estimated quantities and costs for tenders|Introduced {skill} at two plants",
    ),
  },
  {
    roles: list(
      "HR Manager|Recruiter|Office Administrator|Executive Assistant|Human Resources Generalist|Operations Manager|Administrative Assistant|Receptionist|Training Coordinator|Talent Acquisition Specialist|Data Entry Operator|Program Coordinator|Teacher|Lecturer|Assistant Professor|Graphic Designer|UX Designer|Paralegal|Legal Assistant",
    ),
    skills: list(
      "Recruitment|Onboarding|Employee Relations|Performance Management|Training|HRIS|Workday|SAP HR|Microsoft Office|MS Word|MS PowerPoint|MS Outlook|Scheduling|Data Entry|Travel Arrangements|Calendar Management|Record Keeping|Communication|Leadership|Teamwork|Problem Solving|Time Management|Conflict Resolution|Labor Law|Curriculum Development|Lesson Planning|Classroom Management|Adobe Illustrator|Adobe InDesign|Figma|Sketch|Typography|Wireframing|User Research|Legal Research|Document Drafting|Typing|Filing|Event Planning|Organizational Skills|Multitasking|Critical Thinking",
    ),
    studies: list(
      "Human Resource Management|English Literature|Psychology|Education|Law|Public Administration|Graphic Design|Sociology|History",
    ),
    tasks: list(
      "Recruited {n} employees for sales and support|Kept personnel files and answered questions about leave|Scheduled meetings and booked travel for {n} managers|Introduced {skill} for the whole office|Taught classes of up to {n} students|Organised workshops on {skill}|Drafted letters, minutes and contracts|Handled reception, mail and office supplies",
    ),
  },
  {
    roles: list(
      "Registered Nurse|Pharmacist|Medical Assistant|Physiotherapist|Lab Technician|Clinical Research Associate|Medical Officer|Dental Hygienist|Caregiver|Nursing Supervisor|Chef|Sous Chef|Hotel Manager|Front Office Executive|Waiter|Housekeeping Supervisor|Restaurant Manager|Flight Attendant",
    ),
    skills: list(
      "Patient Care|Phlebotomy|CPR|First Aid|Vital Signs|Medication Administration|Electronic Medical Records|Epic|Wound Care|Infection Control|Clinical Trials|GCP|Medical Terminology|Medical Coding|ICD-10|Pharmacology|Food Safety|HACCP|Menu Planning|Guest Relations|Opera PMS|Front Desk Operations|Housekeeping|Catering|Cash Handling|POS Systems|Bartending|Staff Scheduling|Inventory Control|Hospitality Management",
    ),
    studies: list(
      "Nursing|Pharmacy|Biology|Biotechnology|Hotel Management|Hospitality Management|Microbiology|Physiotherapy|Public Health",
    ),
    tasks: list(
      "Cared for {n} patients a shift|Gave medication and kept records in {skill}|Trained new staff in {skill}|Prepared meals for up to {n} guests|Handled check-in, billing and complaints|Kept stock of supplies and placed orders|Took part in ward rounds and handovers|Raised the guest rating by {n}%",
    ),
  },
];

export const LEVELS = list(
  "Senior|Junior|Lead|Sr.|Jr.|Associate|Chief|Principal|Assistant|Deputy|Trainee|Head",
);

export const DEGREES: readonly { readonly full: string; readonly short: readonly string[] }[] = [
  { full: "Bachelor of Science", short: list("B.Sc|BSc|BS|B.S.|B.Sc.") },
  { full: "Bachelor of Engineering", short: list("B.E|BE|B.E.|B.Eng") },
  { full: "Bachelor of Technology", short: list("B.Tech|BTech|B. Tech|B.TECH") },
  { full: "Bachelor of Arts", short: list("BA|B.A.|B.A") },
  { full: "Bachelor of Commerce", short: list("B.Com|BCom|B.COM") },
  { full: "Bachelor of Business Administration", short: list("BBA|B.B.A.") },
  { full: "Bachelor of Computer Applications", short: list("BCA|B.C.A") },
  { full: "Master of Science", short: list("M.Sc|MSc|MS|M.S.|M.Sc.") },
  { full: "Master of Business Administration", short: list("MBA|M.B.A.|PGDM") },
  { full: "Master of Technology", short: list("M.Tech|MTech|M.E") },
  { full: "Master of Computer Applications", short: list("MCA|M.C.A.") },
  { full: "Master of Arts", short: list("MA|M.A.") },
  { full: "Doctor of Philosophy", short: list("PhD|Ph.D.|Ph.D") },
  { full: "Diploma", short: list("Diploma|Advanced Diploma|Polytechnic Diploma") },
  { full: "Associate of Applied Science", short: list("AAS|Associate Degree|A.A.S.") },
];

export const SCHOOL_DEGREES = list(
  "High School Diploma|HSC|SSC|12th|10th|Intermediate|Higher Secondary Certificate|Secondary School Certificate|Abitur|Baccalauréat|A-Levels|GED|Class XII|Matriculation",
);

export const COMPANY_ENDINGS = list(
  "Technologies|Systems|Solutions|Solutions Pvt Ltd|Infotech|Software|Consulting|Services|Industries|Ltd|Ltd.|Pvt. Ltd.|Private Limited|Limited|Inc|Inc.|Corporation|Corp|Group|GmbH|LLC|& Sons|Labs|Global Services|Logistics|Healthcare|Hospital|Bank|Motors|Pharma|Foods|Retail|Hotels|Airlines|Insurance|Constructions|Energy|Media|Partners|International",
);

export const HEADINGS = {
  summary: list(
    "Summary|Profile|Professional Summary|About Me|Objective|Career Objective|Personal Statement|Executive Summary|Career Summary|Overview",
  ),
  experience: list(
    "Experience|Work Experience|Professional Experience|Employment History|Career History|Work History|Employment|Professional Background|Organizational Experience|Relevant Experience",
  ),
  education: list(
    "Education|Academic Background|Educational Qualifications|Academic Qualification|Education & Training|Academics|Qualifications|Education Details",
  ),
  skills: list(
    "Skills|Technical Skills|Core Competencies|Key Skills|Skill Set|Technologies|Areas of Expertise|Tools & Technologies|IT Skills|Technical Proficiency|Expertise|Additional Skills|Strengths",
  ),
  languages: list("Languages|Languages Known|Language Skills"),
  interests: list("Interests|Hobbies|Hobbies & Interests|Personal Interests"),
  awards: list("Awards|Achievements|Honors & Awards|Certifications|Accomplishments"),
  projects: list("Projects|Selected Projects|Academic Projects|Key Projects"),
  references: list("References|Referees"),
  personal: list("Personal Details|Personal Information|Personal Profile"),
} as const;

export const LANGUAGES = list(
  "English|Spanish|French|German|Hindi|Tamil|Telugu|Mandarin|Arabic|Portuguese|Polish|Turkish|Italian|Russian|Marathi|Kannada",
);

export const INTERESTS = list(
  "chess|cricket|travelling|photography|cooking|reading|football|hiking|yoga|painting|music|gardening|cycling|volunteering|swimming|blogging",
);

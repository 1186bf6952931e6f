"""Forms made from INI templates: options as fields, and what comes back as changes of options. Knows no request."""

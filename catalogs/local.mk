# SPDX-License-Identifier: MIT
# The native format's schema, and examples of it.
catalogschemadir = $(catalogdir)
dist_catalogschema_DATA = %reldir%/patchday-catalog.rng %reldir%/patchday-risk.rng %reldir%/risk.xml
catalogexampledir = $(catalogdir)/examples
dist_catalogexample_DATA = %reldir%/examples/driver.xml %reldir%/examples/packages.xml

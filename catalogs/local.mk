nobase_dist_catalog_DATA += \
	%reldir%/patchday-catalog.rng \
	%reldir%/examples/packages.xml \
	%reldir%/examples/driver.xml

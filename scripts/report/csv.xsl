<?xml version="1.0" encoding="UTF-8"?>
<!-- SPDX-License-Identifier: MIT -->
<!-- The steps of a report as CSV, RFC 4180. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
    xmlns:r="urn:patchday:report:1">
<xsl:output method="text" encoding="UTF-8"/>

<xsl:template name="double">
<xsl:param name="text"/>
<xsl:choose>
<xsl:when test="contains($text, '&quot;')"><xsl:value-of select="substring-before($text, '&quot;')"/>""<xsl:call-template name="double"><xsl:with-param name="text" select="substring-after($text, '&quot;')"/></xsl:call-template></xsl:when>
<xsl:otherwise><xsl:value-of select="$text"/></xsl:otherwise>
</xsl:choose>
</xsl:template>

<xsl:template name="field">
<xsl:param name="text"/><xsl:param name="last"/>
<xsl:text>"</xsl:text><xsl:call-template name="double"><xsl:with-param name="text" select="$text"/></xsl:call-template><xsl:text>"</xsl:text>
<xsl:choose><xsl:when test="$last"><xsl:text>&#13;&#10;</xsl:text></xsl:when><xsl:otherwise>,</xsl:otherwise></xsl:choose>
</xsl:template>

<xsl:template match="/r:report">
<xsl:text>"run","server","step","verb","state","result","started","ended","seconds","message"&#13;&#10;</xsl:text>
<xsl:for-each select="r:step">
<xsl:call-template name="field"><xsl:with-param name="text" select="../@run"/></xsl:call-template>
<xsl:call-template name="field"><xsl:with-param name="text" select="../@server"/></xsl:call-template>
<xsl:call-template name="field"><xsl:with-param name="text" select="@id"/></xsl:call-template>
<xsl:call-template name="field"><xsl:with-param name="text" select="@verb"/></xsl:call-template>
<xsl:call-template name="field"><xsl:with-param name="text" select="@state"/></xsl:call-template>
<xsl:call-template name="field"><xsl:with-param name="text" select="@result"/></xsl:call-template>
<xsl:call-template name="field"><xsl:with-param name="text" select="@started"/></xsl:call-template>
<xsl:call-template name="field"><xsl:with-param name="text" select="@ended"/></xsl:call-template>
<xsl:call-template name="field"><xsl:with-param name="text" select="@seconds"/></xsl:call-template>
<xsl:call-template name="field"><xsl:with-param name="text" select="r:message"/><xsl:with-param name="last" select="true()"/></xsl:call-template>
</xsl:for-each>
</xsl:template>
</xsl:stylesheet>

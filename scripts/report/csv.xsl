<?xml version="1.0" encoding="UTF-8"?>
<!-- SPDX-License-Identifier: MIT -->
<!-- A report as one table of CSV, RFC 4180: steps, evidence, differences and
     signatures; doc/certificate.md says what the columns hold. -->
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

<!-- No field is taken for a formula by a spreadsheet. -->
<xsl:template name="field">
<xsl:param name="text"/>
<xsl:text>,"</xsl:text><xsl:if test="$text != '' and contains('=+@-', substring($text, 1, 1))">'</xsl:if><xsl:call-template name="double"><xsl:with-param name="text" select="$text"/></xsl:call-template><xsl:text>"</xsl:text>
</xsl:template>

<xsl:template name="row">
<xsl:param name="kind"/><xsl:param name="step"/><xsl:param name="verb"/><xsl:param name="state"/><xsl:param name="result"/>
<xsl:param name="started"/><xsl:param name="ended"/><xsl:param name="seconds"/><xsl:param name="message"/><xsl:param name="area"/>
<xsl:param name="name"/><xsl:param name="field"/><xsl:param name="before"/><xsl:param name="after"/><xsl:param name="bytes"/>
<xsl:param name="sha256"/><xsl:param name="who"/><xsl:param name="account"/>
<xsl:text>"</xsl:text><xsl:value-of select="/r:report/@run"/><xsl:text>"</xsl:text>
<xsl:call-template name="field"><xsl:with-param name="text" select="/r:report/@server"/></xsl:call-template>
<xsl:call-template name="field"><xsl:with-param name="text" select="$kind"/></xsl:call-template>
<xsl:call-template name="field"><xsl:with-param name="text" select="$step"/></xsl:call-template>
<xsl:call-template name="field"><xsl:with-param name="text" select="$verb"/></xsl:call-template>
<xsl:call-template name="field"><xsl:with-param name="text" select="$state"/></xsl:call-template>
<xsl:call-template name="field"><xsl:with-param name="text" select="$result"/></xsl:call-template>
<xsl:call-template name="field"><xsl:with-param name="text" select="$started"/></xsl:call-template>
<xsl:call-template name="field"><xsl:with-param name="text" select="$ended"/></xsl:call-template>
<xsl:call-template name="field"><xsl:with-param name="text" select="$seconds"/></xsl:call-template>
<xsl:call-template name="field"><xsl:with-param name="text" select="$message"/></xsl:call-template>
<xsl:call-template name="field"><xsl:with-param name="text" select="$area"/></xsl:call-template>
<xsl:call-template name="field"><xsl:with-param name="text" select="$name"/></xsl:call-template>
<xsl:call-template name="field"><xsl:with-param name="text" select="$field"/></xsl:call-template>
<xsl:call-template name="field"><xsl:with-param name="text" select="$before"/></xsl:call-template>
<xsl:call-template name="field"><xsl:with-param name="text" select="$after"/></xsl:call-template>
<xsl:call-template name="field"><xsl:with-param name="text" select="$bytes"/></xsl:call-template>
<xsl:call-template name="field"><xsl:with-param name="text" select="$sha256"/></xsl:call-template>
<xsl:call-template name="field"><xsl:with-param name="text" select="$who"/></xsl:call-template>
<xsl:call-template name="field"><xsl:with-param name="text" select="$account"/></xsl:call-template>
<xsl:text>&#13;&#10;</xsl:text>
</xsl:template>

<xsl:template match="r:step">
<xsl:call-template name="row">
<xsl:with-param name="kind">step</xsl:with-param>
<xsl:with-param name="step" select="@id"/>
<xsl:with-param name="verb" select="@verb"/>
<xsl:with-param name="state" select="@state"/>
<xsl:with-param name="result" select="@result"/>
<xsl:with-param name="started" select="@started"/>
<xsl:with-param name="ended" select="@ended"/>
<xsl:with-param name="seconds" select="@seconds"/>
<xsl:with-param name="message" select="r:message"/>
</xsl:call-template>
<xsl:apply-templates select="r:evidence"/>
</xsl:template>

<xsl:template match="r:evidence">
<xsl:call-template name="row">
<xsl:with-param name="kind">evidence</xsl:with-param>
<xsl:with-param name="step" select="parent::r:step/@id"/>
<xsl:with-param name="verb" select="parent::r:step/@verb"/>
<xsl:with-param name="message" select="@title"/>
<xsl:with-param name="name" select="@path"/>
<xsl:with-param name="bytes" select="@bytes"/>
<xsl:with-param name="sha256" select="@sha256"/>
</xsl:call-template>
</xsl:template>

<xsl:template match="r:difference">
<xsl:call-template name="row">
<xsl:with-param name="kind">difference</xsl:with-param>
<xsl:with-param name="step" select="@explained-by"/>
<xsl:with-param name="state"><xsl:if test="not(@explained-by)">un</xsl:if>explained</xsl:with-param>
<xsl:with-param name="result" select="@change"/>
<xsl:with-param name="message" select="@through"/>
<xsl:with-param name="area" select="@kind"/>
<xsl:with-param name="name" select="@key"/>
<xsl:with-param name="field" select="@field"/>
<xsl:with-param name="before" select="@before"/>
<xsl:with-param name="after" select="@after"/>
</xsl:call-template>
</xsl:template>

<xsl:template match="r:not-compared">
<xsl:call-template name="row">
<xsl:with-param name="kind">not compared</xsl:with-param>
<xsl:with-param name="message" select="."/>
</xsl:call-template>
</xsl:template>

<xsl:template match="r:signature">
<xsl:call-template name="row">
<xsl:with-param name="kind">signature</xsl:with-param>
<xsl:with-param name="state"><xsl:choose><xsl:when test="@overtaken">overtaken</xsl:when><xsl:when test="@time">signed</xsl:when><xsl:otherwise>missing</xsl:otherwise></xsl:choose></xsl:with-param>
<xsl:with-param name="ended" select="@time"/>
<xsl:with-param name="message" select="r:note"/>
<xsl:with-param name="name" select="@party"/>
<xsl:with-param name="who" select="@name"/>
<xsl:with-param name="account" select="@by"/>
</xsl:call-template>
</xsl:template>

<xsl:template match="/r:report">
<xsl:text>"run","server","kind","step","verb","state","result","started","ended","seconds","message","area","name","field","before","after","bytes","sha256","who","account"&#13;&#10;</xsl:text>
<xsl:apply-templates select="r:step"/>
<xsl:apply-templates select="r:comparison/r:evidence | r:comparison/r:difference | r:comparison/r:not-compared"/>
<xsl:apply-templates select="r:signature"/>
</xsl:template>
</xsl:stylesheet>

<?xml version="1.0" encoding="UTF-8"?>
<!-- SPDX-License-Identifier: MIT -->
<!-- The report as plain text. -->
<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"
    xmlns:r="urn:patchday:report:1">
<xsl:output method="text" encoding="UTF-8"/>
<xsl:variable name="blanks" select="'                                                            '"/>

<!-- what a person wrote stays in its line -->
<xsl:template name="said">
<xsl:param name="text"/>
<xsl:value-of select="translate($text, '&#9;&#10;&#13;&#133;&#8232;&#8233;', '      ')"/>
</xsl:template>

<xsl:template name="pad">
<xsl:param name="text"/><xsl:param name="width"/>
<xsl:value-of select="substring(concat($text, $blanks), 1, $width)"/>
<xsl:if test="string-length($text) &gt; $width"><xsl:value-of select="substring($text, $width + 1)"/></xsl:if>
<xsl:text> </xsl:text>
</xsl:template>

<xsl:template match="/r:report">
<xsl:if test="@site"><xsl:value-of select="@site"/> - </xsl:if><xsl:value-of select="@server"/> - <xsl:value-of select="substring(@started, 1, 10)"/>: <xsl:value-of select="@state"/>
<xsl:if test="@why">: <xsl:call-template name="said"><xsl:with-param name="text" select="@why"/></xsl:call-template></xsl:if>
run <xsl:value-of select="@run"/>, workflow <xsl:value-of select="@workflow"/>, <xsl:value-of select="@started"/> to <xsl:value-of select="@ended"/>, <xsl:value-of select="@reboots"/> reboots
<xsl:for-each select="r:warning">warning: <xsl:value-of select="."/><xsl:text>&#10;</xsl:text></xsl:for-each>
<xsl:if test="r:step/r:irreversible">
<xsl:text>&#10;Points of no return&#10;</xsl:text>
<xsl:for-each select="r:step[r:irreversible]"><xsl:text>  </xsl:text><xsl:value-of select="@id"/>: <xsl:call-template name="said"><xsl:with-param name="text" select="r:irreversible"/></xsl:call-template><xsl:text>&#10;</xsl:text></xsl:for-each>
</xsl:if>
<xsl:if test="r:inhibitor"><xsl:text>&#10;Refused&#10;</xsl:text></xsl:if>
<xsl:for-each select="r:inhibitor"><xsl:text>  </xsl:text><xsl:if test="@step"><xsl:value-of select="@step"/>: </xsl:if><xsl:value-of select="@risk"/><xsl:text>&#10;    cause:  </xsl:text><xsl:value-of select="@cause"/><xsl:text>&#10;    remedy: </xsl:text><xsl:value-of select="@remedy"/><xsl:text>&#10;</xsl:text></xsl:for-each>
<xsl:if test="r:note"><xsl:text>&#10;Notes&#10;</xsl:text></xsl:if>
<xsl:for-each select="r:note"><xsl:text>  </xsl:text><xsl:call-template name="said"><xsl:with-param name="text" select="."/></xsl:call-template><xsl:text>&#10;</xsl:text></xsl:for-each>
<xsl:if test="r:question"><xsl:text>&#10;Questions&#10;</xsl:text></xsl:if>
<xsl:for-each select="r:question"><xsl:text>  </xsl:text><xsl:value-of select="@ask"/><xsl:text> </xsl:text><xsl:choose><xsl:when test="@answer"><xsl:call-template name="said"><xsl:with-param name="text" select="@answer"/></xsl:call-template> (<xsl:call-template name="said"><xsl:with-param name="text" select="@who"/></xsl:call-template>, <xsl:value-of select="@when"/>)</xsl:when><xsl:otherwise>not answered</xsl:otherwise></xsl:choose><xsl:text>&#10;</xsl:text></xsl:for-each>
<xsl:text>&#10;Steps&#10;</xsl:text>
<xsl:for-each select="r:step">
<xsl:text>  </xsl:text>
<xsl:call-template name="pad"><xsl:with-param name="text" select="@state"/><xsl:with-param name="width" select="10"/></xsl:call-template>
<xsl:call-template name="pad"><xsl:with-param name="text" select="@result"/><xsl:with-param name="width" select="9"/></xsl:call-template>
<xsl:call-template name="pad"><xsl:with-param name="text" select="@id"/><xsl:with-param name="width" select="40"/></xsl:call-template>
<xsl:value-of select="format-number(@seconds, '0.0')"/><xsl:text> s&#10;</xsl:text>
<xsl:if test="r:message"><xsl:text>             </xsl:text><xsl:value-of select="r:message"/><xsl:text>&#10;</xsl:text></xsl:if>
</xsl:for-each>
<xsl:if test="r:update">
<xsl:text>&#10;Updates&#10;</xsl:text>
<xsl:for-each select="r:update/r:package"><xsl:text>  </xsl:text><xsl:value-of select="@name"/><xsl:text> </xsl:text><xsl:value-of select="@from"/> -> <xsl:value-of select="@to"/><xsl:text>&#10;</xsl:text></xsl:for-each>
</xsl:if>
<xsl:if test="r:decision">
<xsl:text>&#10;May it go on?&#10;</xsl:text>
<xsl:for-each select="r:decision"><xsl:text>  </xsl:text><xsl:value-of select="@time"/><xsl:text> </xsl:text><xsl:value-of select="@kind"/><xsl:text> </xsl:text><xsl:value-of select="@stage"/><xsl:value-of select="@names"/><xsl:if test="@who"> by <xsl:call-template name="said"><xsl:with-param name="text" select="@who"/></xsl:call-template>: <xsl:call-template name="said"><xsl:with-param name="text" select="@why"/></xsl:call-template></xsl:if><xsl:text>&#10;</xsl:text>
<xsl:for-each select="r:reason"><xsl:text>      </xsl:text><xsl:if test="@overridden">overridden: </xsl:if><xsl:value-of select="@guard"/>: <xsl:value-of select="@risk"/>: <xsl:value-of select="@cause"/><xsl:text>&#10;</xsl:text></xsl:for-each></xsl:for-each>
</xsl:if>
<xsl:for-each select="r:comparison">
<xsl:text>&#10;Before and after: </xsl:text><xsl:value-of select="@unexplained"/> unexplained, <xsl:value-of select="@explained"/><xsl:text> explained&#10;</xsl:text>
<xsl:for-each select="r:not-compared"><xsl:text>  not compared, a scan is missing: </xsl:text><xsl:value-of select="."/><xsl:text>&#10;</xsl:text></xsl:for-each>
<xsl:for-each select="r:difference">
<xsl:text>  </xsl:text><xsl:choose><xsl:when test="@explained-by"><xsl:text>            </xsl:text></xsl:when><xsl:otherwise>unexplained </xsl:otherwise></xsl:choose>
<xsl:value-of select="concat(@kind, ' ', @key, ' ', @change)"/>
<xsl:if test="@field"><xsl:value-of select="concat(' ', @field, ': ', @before, ' -> ', @after)"/></xsl:if>
<xsl:if test="@explained-by"><xsl:value-of select="concat(', by ', @explained-by)"/><xsl:if test="@through"><xsl:value-of select="concat(' (', @through, ')')"/></xsl:if></xsl:if>
<xsl:text>&#10;</xsl:text>
</xsl:for-each>
</xsl:for-each>
<xsl:for-each select="r:fidelity">
<xsl:text>&#10;Dry run: </xsl:text><xsl:value-of select="@right"/> of <xsl:value-of select="@right + @wrong"/> predictions held<xsl:if test="@percent"> (<xsl:value-of select="@percent"/> %)</xsl:if>, <xsl:value-of select="@unknown"/><xsl:text> were unknown&#10;</xsl:text>
<xsl:for-each select="r:plugin"><xsl:text>  </xsl:text><xsl:call-template name="pad"><xsl:with-param name="text" select="@name"/><xsl:with-param name="width" select="10"/></xsl:call-template><xsl:value-of select="@right"/> right, <xsl:value-of select="@wrong"/> wrong, <xsl:value-of select="@unknown"/><xsl:text> unknown&#10;</xsl:text></xsl:for-each>
<xsl:for-each select="r:prediction[@held = 'no']"><xsl:text>  not so: </xsl:text><xsl:value-of select="@step"/>: predicted <xsl:value-of select="@predicted"/>, was <xsl:value-of select="@real"/><xsl:for-each select="r:wrong">; <xsl:value-of select="@output"/>: predicted <xsl:value-of select="@predicted"/>, was <xsl:value-of select="@real"/></xsl:for-each><xsl:text>&#10;</xsl:text></xsl:for-each>
</xsl:for-each>
<xsl:text>&#10;Evidence&#10;</xsl:text>
<xsl:for-each select="r:step/r:evidence | r:comparison/r:evidence"><xsl:text>  </xsl:text><xsl:value-of select="@sha256"/><xsl:text>  </xsl:text><xsl:value-of select="@path"/><xsl:text>&#10;</xsl:text></xsl:for-each>
<xsl:text>&#10;Sign-off&#10;</xsl:text>
<xsl:for-each select="r:signature"><xsl:text>  </xsl:text><xsl:call-template name="said"><xsl:with-param name="text" select="@party"/></xsl:call-template>: <xsl:choose><xsl:when test="@name"><xsl:call-template name="said"><xsl:with-param name="text" select="@name"/></xsl:call-template>, <xsl:value-of select="@time"/><xsl:if test="@by"> (account: <xsl:call-template name="said"><xsl:with-param name="text" select="@by"/></xsl:call-template>)</xsl:if><xsl:if test="@overtaken">, before the change was taken back</xsl:if><xsl:if test="r:note">: <xsl:call-template name="said"><xsl:with-param name="text" select="r:note"/></xsl:call-template></xsl:if></xsl:when><xsl:otherwise>missing</xsl:otherwise></xsl:choose><xsl:text>&#10;</xsl:text></xsl:for-each>
<xsl:text>&#10;Seal&#10;  journal row </xsl:text><xsl:value-of select="r:journal/@n"/><xsl:text> </xsl:text><xsl:value-of select="r:journal/@hash"/><xsl:text>&#10;  </xsl:text>
<xsl:choose><xsl:when test="r:seal">key <xsl:value-of select="r:seal/@key"/>, <xsl:value-of select="r:seal/@time"/><xsl:if test="r:seal/@by"> (account: <xsl:value-of select="r:seal/@by"/>)</xsl:if></xsl:when><xsl:otherwise>not sealed</xsl:otherwise></xsl:choose><xsl:text>&#10;</xsl:text>
</xsl:template>
</xsl:stylesheet>
